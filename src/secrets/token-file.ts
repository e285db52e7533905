/** Tokens in a file of the data directory: hashes only, readable by the owner only, replaced atomically. */
import { mkdir, open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FleetError } from '../fleet/errors.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { TokenIdentity, TokenRecord, TokenStore } from '../ports/tokens.ts'
import {
  hashToken,
  isTokenName,
  makeToken,
  SHORTEST_TOKEN,
  type StoredToken,
  TOKEN_BYTES,
  verifyToken,
} from './token.ts'

const ADMIN = 'admin'
const ROLES: readonly string[] = ['reader', 'writer', 'admin']

export interface TokenFileOptions {
  readonly path: string
  readonly clock: Clock
  readonly randomness: Randomness
}

/** @throws FleetError `invalid-configuration` when the file is there but not readable as one */
export async function openTokenFile(options: TokenFileOptions): Promise<TokenStore> {
  return new TokenFile(options, await load(options.path))
}

class TokenFile implements TokenStore {
  readonly #options: TokenFileOptions
  #tokens: readonly StoredToken[]
  /** One write after the other, so that none is lost. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: TokenFileOptions, tokens: readonly StoredToken[]) {
    this.#options = options
    this.#tokens = tokens
  }

  verify(token: string): TokenIdentity | undefined {
    return verifyToken(token, this.#tokens)
  }

  list(): readonly TokenRecord[] {
    return this.#tokens.map(({ name, role, createdAt }) => ({ name, role, createdAt }))
  }

  async create(identity: TokenIdentity): Promise<string> {
    return await this.#exclusively(async () => {
      if (!isTokenName(identity.name)) {
        throw new FleetError(
          'invalid-request',
          'A token name is 1 to 63 of a-z, 0-9, ".", "_" and "-", first a letter or digit.',
        )
      }
      if (this.#tokens.some(({ name }) => name === identity.name)) {
        throw new FleetError(
          'name-taken',
          `There is a token ${identity.name} already; revoke it first or take another name.`,
        )
      }
      return await this.#add(identity, makeToken(this.#options.randomness.bytes(TOKEN_BYTES)))
    })
  }

  async revoke(name: string): Promise<boolean> {
    return await this.#exclusively(async () => {
      const left = this.#tokens.filter((token) => token.name !== name)
      if (left.length === this.#tokens.length) return false
      await this.#replace(left)
      return true
    })
  }

  async ensureAdmin(token?: string): Promise<string | undefined> {
    return await this.#exclusively(async () => {
      if (token === undefined && this.#tokens.some(({ role }) => role === 'admin')) return undefined
      if (token !== undefined && token.length < SHORTEST_TOKEN) {
        throw new FleetError(
          'invalid-configuration',
          `The admin token must have at least ${SHORTEST_TOKEN} characters.`,
        )
      }
      if (token !== undefined && verifyToken(token, this.#tokens)?.role === 'admin') return undefined
      return await this.#add(
        { name: ADMIN, role: 'admin' },
        token ?? makeToken(this.#options.randomness.bytes(TOKEN_BYTES)),
      )
    })
  }

  async #add({ name, role }: TokenIdentity, token: string): Promise<string> {
    const createdAt = new Date(this.#options.clock.now()).toISOString()
    const others = this.#tokens.filter((other) => other.name !== name)
    await this.#replace([...others, { name, role, createdAt, hash: hashToken(token) }])
    return token
  }

  async #replace(tokens: readonly StoredToken[]): Promise<void> {
    await writeAtomically(this.#options.path, `${JSON.stringify({ version: 1, tokens }, undefined, 2)}\n`)
    this.#tokens = tokens
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(work)
    // The next one must run whatever became of this one; its own caller hears of the error.
    this.#writing = result.catch(() => undefined)
    return result
  }
}

async function load(path: string): Promise<readonly StoredToken[]> {
  const text = await readIfThere(path)
  if (text === undefined) return []
  const tokens = parseTokens(text)
  if (tokens) return tokens
  throw new FleetError(
    'invalid-configuration',
    `${path} is not a token file; move it away to start with a new one.`,
  )
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
    throw error
  }
}

function parseTokens(text: string): readonly StoredToken[] | undefined {
  let file: unknown
  try {
    file = JSON.parse(text)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
  if (typeof file !== 'object' || file === null || !('version' in file) || file.version !== 1)
    return undefined
  if (!('tokens' in file) || !Array.isArray(file.tokens) || !file.tokens.every(isStoredToken))
    return undefined
  return file.tokens
}

function isStoredToken(value: unknown): value is StoredToken {
  if (typeof value !== 'object' || value === null) return false
  const token: Partial<Record<keyof StoredToken, unknown>> = value
  return (
    typeof token.name === 'string' &&
    typeof token.createdAt === 'string' &&
    ROLES.includes(String(token.role)) &&
    typeof token.hash === 'string' &&
    /^[0-9a-f]{64}$/.test(token.hash)
  )
}

async function writeAtomically(path: string, text: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.chmod(0o600)
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}
