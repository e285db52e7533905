/** Flags, environment and file to one configuration. */
import { FleetError } from '../fleet/errors.ts'
import { nearest } from '../fleet/nearest.ts'
import { parseYaml } from '../fleet/yaml/parse.ts'
import { type Configuration, environmentName, SETTINGS, type Setting } from './settings.ts'

const PREFIX = 'FLEETWRIGHT_'

export interface Sources {
  readonly flags: Readonly<Record<string, string>>
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly file?: { readonly path: string; readonly text: string }
}

/** @throws FleetError `invalid-configuration` with everything that is wrong */
export function readConfiguration({ flags, environment, file }: Sources): Configuration {
  const problems: string[] = []
  const fromFile = file === undefined ? {} : readFile(file.path, file.text, problems)
  const fromEnvironment = readEnvironment(environment, problems)
  const settings: readonly Setting[] = SETTINGS
  const entries = settings.map((setting) => {
    const { key } = setting
    const given = [
      [`--${key}`, flags[key]],
      [environmentName(key), fromEnvironment[key]],
      [`${file?.path}: ${key}`, fromFile[key]],
    ] as const
    const [where, value] = given.find(([, text]) => text !== undefined) ?? ['', setting.default]
    const problem = value === undefined ? undefined : setting.parse(value)
    if (problem !== undefined) problems.push(`${where} ${problem}`)
    return [key, value] as const
  })
  if (problems.length > 0) throw new FleetError('invalid-configuration', problems.join('\n'))
  // The table makes both the keys and the type.
  return Object.fromEntries(entries) as unknown as Configuration
}

function known(): readonly string[] {
  return SETTINGS.map(({ key }) => key)
}

function readEnvironment(
  environment: Sources['environment'],
  problems: string[],
): Readonly<Record<string, string>> {
  const names = new Map(known().map((key) => [environmentName(key), key]))
  const found: Record<string, string> = {}
  for (const [name, value] of Object.entries(environment)) {
    if (!name.startsWith(PREFIX) || value === undefined || name === `${PREFIX}CONFIG`) continue
    const key = names.get(name)
    if (key !== undefined) found[key] = value
    else problems.push(`${name} is not a setting${hint(name, [...names.keys()])}`)
  }
  return found
}

function readFile(path: string, text: string, problems: string[]): Readonly<Record<string, string>> {
  const yaml = parseYaml(path, text)
  problems.push(...yaml.problems.map(({ line, column, detail }) => `${path}:${line}:${column}: ${detail}`))
  const { value } = yaml
  if (value === undefined || value === null) return {}
  if (typeof value !== 'object' || Array.isArray(value)) {
    problems.push(`${path}:1:1: the file must hold keys with values, for example listen: 127.0.0.1:8075`)
    return {}
  }
  const found: Record<string, string> = {}
  for (const [key, entry] of Object.entries(value)) {
    const { line, column } = yaml.position(`/${key}`)
    if (!known().includes(key))
      problems.push(`${path}:${line}:${column}: ${key} is not a setting${hint(key, known())}`)
    else if (typeof entry === 'object') problems.push(`${path}:${line}:${column}: ${key} must be one value`)
    else found[key] = String(entry)
  }
  return found
}

function hint(name: string, names: readonly string[]): string {
  const near = nearest(name, names)
  return near === undefined ? `; known are ${names.join(', ')}` : `; did you mean ${near}?`
}
