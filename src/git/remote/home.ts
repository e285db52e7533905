/** The fleet repository on a git server, over smart HTTP or ssh, with a bare clone in the data directory as cache. */
import { createHash } from 'node:crypto'
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import { git } from '../child-process.ts'
import type { NewObject, PushOutcome, RefUpdate, RepositoryHome } from '../contracts.ts'
import type { FleetIdentity } from '../fleet-identity.ts'
import { type InstanceLock, lockInstance } from '../instance-lock.ts'
import { createObjectReader } from '../object-reader.ts'
import { buildPack } from '../pack.ts'
import { dropPack, storePack } from '../pack-folder.ts'
import { type Cache, discardCache, isDamage, openCache } from './cache.ts'
import { connect, type GitConnection } from './connection.ts'
import type { PushReport } from './report.ts'
import type { GitTransport } from './transport.ts'

const MAIN = 'refs/heads/main' as RefName

/** What GitHub (classic and rules), GitLab and Gitea say of a protected branch; a hook that dislikes one commit says something else. */
const PROTECTED = /\bGH006\b|protected branch|must be made through a pull request/i

export interface RemoteHomeOptions {
  /** Closed with the home, and when it cannot be opened. */
  readonly transport: GitTransport
  /** Folder for clones; each URL has one of its own below it. */
  readonly folder: string
  readonly identity?: FleetIdentity
}

/**
 * @throws FleetError `remote-unavailable`, `remote-denied`, `history-rewritten`, `invalid-configuration` when the default
 * branch is not main, the server cannot push atomically, or another process works on the clone
 */
export async function openRemoteHome(options: RemoteHomeOptions): Promise<RepositoryHome> {
  const { transport, folder, identity } = options
  const { url } = transport
  const directory = join(folder, `${createHash('sha256').update(url).digest('hex').slice(0, 16)}.git`)
  let lock: InstanceLock | undefined
  try {
    await mkdir(folder, { recursive: true })
    lock = await lockInstance(folder)
    const connection = await connect(transport)
    await requireMain(url, connection)
    const { cache, earlierTips } = await openFilled({
      directory,
      native: transport.native,
      ...(identity === undefined ? {} : { identity }),
    })
    return createHome({ directory, transport, connection, cache, earlierTips, lock })
  } catch (error) {
    await transport.close()
    await lock?.close()
    throw error
  }
}

interface HomeParts {
  readonly directory: string
  readonly transport: GitTransport
  readonly connection: GitConnection
  readonly cache: Cache
  readonly earlierTips: RepositoryHome['earlierTips']
  readonly lock: InstanceLock
}

function createHome({
  directory,
  transport,
  connection,
  cache,
  earlierTips,
  lock,
}: HomeParts): RepositoryHome {
  const objects = createObjectReader(directory)
  const tips = async (): Promise<ReadonlyMap<RefName, ObjectId>> => (await connection.list()).heads
  return {
    gitDirectory: directory,
    objects,
    native: transport.native,
    earlierTips,
    tips,
    async fetch() {
      cache.check()
      const remote = await tips()
      if (equal(remote, cache.tips)) return remote
      await cache.expectMain(remote)
      return await cache.fetch()
    },
    push: (updates, fresh) => push({ directory, connection, cache }, updates, fresh),
    async maintain() {
      await git(['repack', '-d', '--geometric=2', '--quiet'], { directory })
      await git(['pack-refs', '--all'], { directory })
    },
    async close() {
      await transport.close()
      await cache.close()
      await objects.close()
      await lock.close()
    },
  }
}

async function push(
  { directory, connection, cache }: { directory: string; connection: GitConnection; cache: Cache },
  updates: readonly RefUpdate[],
  fresh: readonly NewObject[],
): Promise<PushOutcome> {
  cache.check()
  const pack = buildPack(fresh, false)
  // Beside the push: the disk is busy while the network is.
  const [stored, pushed] = await Promise.allSettled([
    fresh.length > 0 ? storePack(directory, pack) : undefined,
    connection.push(updates, pack.pack),
  ])
  if (pushed.status === 'rejected') {
    await dropPack(directory, pack)
    throw pushed.reason
  }
  if (pushed.value.result === 'rejected') {
    await dropPack(directory, pack)
    return await rejected(pushed.value, updates, connection)
  }
  if (stored.status === 'rejected') throw notCached(stored.reason)
  try {
    await cache.advance(updates)
  } catch (error) {
    throw notCached(error)
  }
  return { outcome: 'accepted' }
}

/** Servers word a lost race differently; where the refs are now says it for sure. */
async function rejected(
  report: PushReport & { readonly result: 'rejected' },
  updates: readonly RefUpdate[],
  connection: GitConnection,
): Promise<PushOutcome> {
  if (report.lease) return { outcome: 'stale', detail: report.words }
  const { heads } = await connection.list()
  if (updates.some(({ ref, expected }) => heads.get(ref) !== expected))
    return { outcome: 'stale', detail: report.words }
  if (PROTECTED.test(report.words)) throw mainIsProtected(report.words)
  throw new FleetError('remote-refused', `The fleet repository refused the push: ${report.words}`)
}

function mainIsProtected(words: string): FleetError {
  return new FleetError(
    'remote-denied',
    `A branch of the fleet repository is protected, and Fleetwright may not push to it: ${words}. Let its account pass by the protection, or set protected-main to pull-requests (docs/operations.md).`,
  )
}

/** The push is on the remote, but not here: the next fetch brings it. */
function notCached(cause: unknown): FleetError {
  return new FleetError(
    'remote-unavailable',
    'The push was accepted, but could not be written to the clone in the data directory.',
    {},
    { cause },
  )
}

type Filled = Pick<HomeParts, 'cache' | 'earlierTips'>

async function openFilled(options: Parameters<typeof openCache>[0]): Promise<Filled> {
  try {
    return await fill(options)
  } catch (error) {
    if (!isDamage(error)) throw error
    // A clone is quickly made again; what it was damaged by does not matter.
    await discardCache(options.directory)
    return await fill(options)
  }
}

async function fill(options: Parameters<typeof openCache>[0]): Promise<Filled> {
  const cache = await openCache(options)
  const earlierTips = cache.tips
  try {
    await cache.fetch()
    return { cache, earlierTips }
  } catch (error) {
    await cache.close()
    throw error
  }
}

async function requireMain(url: string, connection: GitConnection): Promise<void> {
  const { heads, defaultBranch } = await connection.list()
  if (heads.size === 0 || defaultBranch === MAIN || (defaultBranch === undefined && heads.has(MAIN))) return
  const name = (defaultBranch ?? [...heads.keys()][0] ?? '').replace('refs/heads/', '')
  throw new FleetError(
    'invalid-configuration',
    `The default branch of ${url} is ${name}; Fleetwright writes main. Make main the default branch, or name a repository that is empty.`,
  )
}

function equal(a: ReadonlyMap<RefName, ObjectId>, b: ReadonlyMap<RefName, ObjectId>): boolean {
  return a.size === b.size && [...a].every(([ref, oid]) => b.get(ref) === oid)
}
