/** Secrets that settings give: themselves, or as a file that may be rotated. */
import { readFile } from 'node:fs/promises'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'

type Key = 'forge-token' | 'forge-hook-secret' | 'fleet-token'

/**
 * Read anew each time, so that a new one in the file is noticed. Undefined: none is configured.
 * @throws FleetError `invalid-configuration` both are given; the reading: the file cannot be read or holds no secret
 */
export function secretOf(configuration: Configuration, key: Key): () => Promise<string | undefined> {
  const [value, path] = [configuration[key], configuration[`${key}-file`]]
  if (value !== undefined && path !== undefined)
    throw new FleetError('invalid-configuration', `Give ${key}-file or ${key}, not both.`)
  return async () => (path === undefined ? value : await readSecret(`${key}-file`, path))
}

async function readSecret(key: string, path: string): Promise<string> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw new FleetError('invalid-configuration', `${key}: ${path} cannot be read (${why}).`, {}, { cause })
  })
  const secret = text.trim()
  if (secret !== '' && !/\s/.test(secret)) return secret
  throw new FleetError('invalid-configuration', `${key}: ${path} must hold one secret and nothing else.`)
}
