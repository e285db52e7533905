/** What values of settings must be: undefined, or what is wrong with a text. */

import { readRepositoryAddress } from '../fleet/repository-address.ts'

export type Check = (text: string) => string | undefined

export function anything(text: string): string | undefined {
  return text === '' ? 'must not be empty' : undefined
}

export function oneOf(...values: readonly string[]): Check {
  return (text) => (values.includes(text) ? undefined : `must be one of ${values.join(', ')}`)
}

export function listOf(...values: readonly string[]): Check {
  return (text) => {
    const given = text.split(',')
    const known = given.every((value) => values.includes(value)) && new Set(given).size === given.length
    return known ? undefined : `must be some of ${values.join(', ')}, each once, with commas between`
  }
}

export function rate(text: string): string | undefined {
  return /^\d{1,3}$/.test(text) ? undefined : 'must be a whole number from 0 to 999'
}

export function positive(text: string): string | undefined {
  return /^[1-9]\d{0,2}$/.test(text) ? undefined : 'must be a whole number from 1 to 999'
}

export function address(text: string): string | undefined {
  const port = Number(/:(\d{1,5})$/.exec(text)?.[1] ?? Number.NaN)
  return port >= 0 && port <= 65_535 ? undefined : 'must be host:port, for example 127.0.0.1:8075'
}

export function httpUrl(text: string): string | undefined {
  const example = 'for example http://127.0.0.1:8075'
  if (!URL.canParse(text) || !/^https?:$/.test(new URL(text).protocol))
    return `must be an http or https URL, ${example}`
  const { username, password } = new URL(text)
  return username === '' && password === '' ? undefined : `must not hold a token, ${example}`
}

/** As Standard Webhooks writes keys. */
export function isSigningKey(text: string): boolean {
  return /^whsec_(?:[A-Za-z0-9+/]{4}){8,21}(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)
}

export function wholeNumber(text: string): string | undefined {
  return /^[1-9]\d{0,14}$/.test(text) ? undefined : 'must be a whole number'
}

export function days(text: string): string | undefined {
  return /^\d{1,4}$/.test(text) ? undefined : 'must be a whole number of days'
}

export function seconds(text: string): string | undefined {
  return /^[1-9]\d{0,5}$/.test(text) ? undefined : 'must be a whole number of seconds'
}

/** A path, or where a git server has it, without anything secret in it. */
export function repository(text: string): string | undefined {
  const reading = readRepositoryAddress(text)
  return 'problem' in reading ? reading.problem : undefined
}

/** As it stands in the address of the repository; GitLab has groups in groups. */
export function forgeRepository(text: string): string | undefined {
  return text.length <= 500 && /^[\w.-]+(?:\/[\w.-]+)+$/.test(text) && !/(?:^|\/)\.{1,2}(?:\/|$)/.test(text)
    ? undefined
    : 'must be the name of a repository with its owner, for example team/fleet'
}

/** Repositories with commas between, each once. */
export function repositories(text: string): string | undefined {
  const given = text.split(',')
  if (new Set(given).size < given.length) return 'must name each repository once'
  for (const one of given) {
    const problem = repository(one)
    if (problem !== undefined) return problem
  }
  return undefined
}

export function userName(text: string): string | undefined {
  return /^[^\s:]{1,200}$/.test(text) ? undefined : 'must be a name without spaces and colons'
}

export function email(text: string): string | undefined {
  return /^[^\s@<>]{1,64}@[^\s@<>]{1,190}$/.test(text)
    ? undefined
    : 'must be an address such as fleet@example.com'
}

export function token(text: string): string | undefined {
  return /^[\x21-\x7e]{1,4000}$/.test(text) ? undefined : 'must be one token without spaces'
}
