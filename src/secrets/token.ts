/** Tokens: what one looks like, what is kept of it, how one is recognised. Pure but for the hash. */
import { createHash, timingSafeEqual } from 'node:crypto'
import type { TokenIdentity, TokenRecord } from '../ports/tokens.ts'

/** Prefix of tokens, so that secret scanners recognise a leaked one. */
const PREFIX = 'fwt_'
export const TOKEN_BYTES = 32
const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/
/** Shorter ones could be guessed; a plain hash is enough only for tokens of high entropy. */
export const SHORTEST_TOKEN = 16

/** What the token file keeps. */
export interface StoredToken extends TokenRecord {
  /** SHA-256 of the token, hex. */
  readonly hash: string
}

/** @param randomBytes at least 32 */
export function makeToken(randomBytes: Uint8Array): string {
  if (randomBytes.length < TOKEN_BYTES) throw new RangeError(`a token needs ${TOKEN_BYTES} random bytes`)
  return PREFIX + Buffer.from(randomBytes).toString('base64url')
}

export function hashToken(token: string): string {
  return createHash('sha256').update(token, 'utf8').digest('hex')
}

export function isTokenName(name: string): boolean {
  return NAME.test(name)
}

/** Looks at every stored token whatever matches, so that the time taken tells nothing. */
export function verifyToken(token: string, stored: readonly StoredToken[]): TokenIdentity | undefined {
  const hash = Buffer.from(hashToken(token), 'hex')
  let found: TokenIdentity | undefined
  for (const candidate of stored) {
    const other = Buffer.from(candidate.hash, 'hex')
    if (other.length === hash.length && timingSafeEqual(other, hash))
      found = { name: candidate.name, role: candidate.role }
  }
  return found
}
