/**
 * Tokens in a file of the data directory: hashes only, readable by the owner only, replaced atomically. Several processes
 * share it: the server sees at its next request what the command line created or revoked.
 */
import { readFileSync, statSync } from 'node:fs'
import { mkdir, open, rename, rm, stat } from 'node:fs/promises'
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
  return new TokenFile(options)
}

interface Loaded {
  readonly tokens: readonly StoredToken[]
  /** Changes with every replacement of the file. */
  readonly stamp: string
}

class TokenFile implements TokenStore {
  readonly #options: TokenFileOptions
  #loaded: Loaded
  /** One write after the other, so that none is lost. */
  #writing: Promise<unknown> = Promise.resolve()

  constructor(options: TokenFileOptions) {
    this.#options = options
    this.#loaded = load(options.path)
  }

  /** What the file says now; one look at its metadata where nothing changed. */
  get #tokens(): readonly StoredToken[] {
    if (stampOf(this.#options.path) !== this.#loaded.stamp) this.#loaded = load(this.#options.path)
    return this.#loaded.tokens
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
  }

  #exclusively<Result>(work: () => Promise<Result>): Promise<Result> {
    const result = this.#writing.then(() => withLock(this.#options, work))
    // The next one must run whatever became of this one; its own caller hears of the error.
    this.#writing = result.catch(() => undefined)
    return result
  }
}

const LOCK_PATIENCE_MILLISECONDS = 5_000
const LOCK_STALE_MILLISECONDS = 30_000
const LOCK_PAUSE_MILLISECONDS = 20

/** Between processes. A lock that a killed process left does not count for long: nobody holds it for more than some milliseconds. */
async function withLock<Result>(
  { path, clock }: TokenFileOptions,
  work: () => Promise<Result>,
): Promise<Result> {
  const lock = `${path}.lock`
  const deadline = clock.monotonic() + LOCK_PATIENCE_MILLISECONDS
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  while (!(await createLock(lock))) {
    const since = await stat(lock).catch(whenMissing)
    if (since !== undefined && clock.now() - since.mtimeMs > LOCK_STALE_MILLISECONDS)
      await rm(lock, { force: true })
    else if (clock.monotonic() < deadline) await clock.sleep(LOCK_PAUSE_MILLISECONDS)
    else
      throw new FleetError(
        'invalid-configuration',
        `${lock} is held by another process; remove it if none is running.`,
      )
  }
  try {
    return await work()
  } finally {
    await rm(lock, { force: true })
  }
}

async function createLock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close()
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'EEXIST') return false
    throw error
  }
}

function load(path: string): Loaded {
  // First, so that a replacement in between is read again.
  const stamp = stampOf(path)
  if (stamp === '') return { tokens: [], stamp }
  const tokens = parseTokens(readFileSync(path, 'utf8'))
  if (tokens) return { tokens, stamp }
  throw new FleetError(
    'invalid-configuration',
    `${path} is not a token file; move it away to start with a new one.`,
  )
}

/** Empty when there is no file. */
function stampOf(path: string): string {
  const state = statSync(path, { bigint: true, throwIfNoEntry: false })
  return state === undefined ? '' : `${state.ino} ${state.mtimeNs} ${state.size}`
}

function whenMissing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
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
