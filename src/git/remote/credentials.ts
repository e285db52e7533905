/** What Fleetwright logs in to the remote with. The token comes from a file or the environment, never from a URL. */
import { readFile } from 'node:fs/promises'
import { FleetError } from '../../fleet/errors.ts'

export interface Credentials {
  /**
   * Value of the header `Authorization`; undefined: no token is configured. A token file is read every time, so a token that
   * was rotated is noticed.
   * @throws FleetError `remote-denied` when the token file cannot be read or is empty
   */
  authorization(): Promise<string | undefined>
  /** The remote did not take it: another one is given next time, where there is another. */
  refused?(authorization: string): void
  /** A text of the remote with every token taken out that was ever used. */
  redact(text: string): string
}

export interface CredentialSources {
  /** Git hosts take any name with a token, some (deploy tokens) want theirs. */
  readonly user: string
  readonly token?: string
  readonly tokenFile?: string
}

export function createCredentials({ user, token, tokenFile }: CredentialSources): Credentials {
  const secrets = new Set<string>()
  return {
    async authorization() {
      const present = tokenFile === undefined ? token : await readToken(tokenFile)
      if (present === undefined) return undefined
      const basic = Buffer.from(`${user}:${present}`).toString('base64')
      secrets.add(present).add(basic)
      return `Basic ${basic}`
    },
    redact(text) {
      return [...secrets].reduce((rest, secret) => rest.replaceAll(secret, '***'), text)
    },
  }
}

async function readToken(path: string): Promise<string> {
  let text: string
  try {
    text = (await readFile(path, 'utf8')).trim()
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new FleetError('remote-denied', `The token file ${path} cannot be read (${why}).`, {}, { cause })
  }
  if (text === '' || /\s/.test(text))
    throw new FleetError('remote-denied', `The token file ${path} must hold one token and nothing else.`)
  return text
}
