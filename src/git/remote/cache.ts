/**
 * The bare clone beside the remote. `refs/heads` is what Fleetwright has taken in; native git fetches to `refs/incoming`,
 * and nothing moves before main was looked at. The clone can be thrown away at any time.
 */
import { mkdir, rm } from 'node:fs/promises'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import { git, runGit } from '../child-process.ts'
import type { RefUpdate } from '../contracts.ts'
import type { FleetIdentity } from '../fleet-identity.ts'
import { createMainGuard } from '../main-guard.ts'
import { removeHalfPacks, removeStaleLocks } from '../pack-folder.ts'
import { createRefTransactions, type RefChange, readTips } from '../ref-transactions.ts'
import type { NativeAccess } from '../contracts.ts'
import { plain } from './words.ts'

const MAIN = 'refs/heads/main' as RefName
const INCOMING = 'refs/incoming'

const SETTINGS = [
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['fetch.unpackLimit', '1'],
  ['core.logAllRefUpdates', 'false'],
] as const

export interface Cache {
  /** The tips taken in last. */
  readonly tips: ReadonlyMap<RefName, ObjectId>
  /**
   * Takes in what the remote has now.
   * @throws FleetError `remote-unavailable`, `history-rewritten`, `repository-damaged`
   */
  fetch(): Promise<ReadonlyMap<RefName, ObjectId>>
  /** @throws FleetError `history-rewritten` when the remote is known to be another repository */
  check(): void
  /** @throws FleetError `history-rewritten` when the remote has no main any more */
  expectMain(remote: ReadonlyMap<RefName, ObjectId>): Promise<void>
  /** Own push that was accepted; its objects are here already. */
  advance(updates: readonly RefUpdate[]): Promise<void>
  close(): Promise<void>
}

export interface CacheOptions {
  readonly directory: string
  readonly native: NativeAccess
  readonly identity?: FleetIdentity
}

/** Makes the bare repository when it is not there. @throws FleetError `repository-damaged` */
export async function openCache(options: CacheOptions): Promise<Cache> {
  const { directory, identity } = options
  await prepare(directory)
  const refs = createRefTransactions(directory, { durable: false })
  let tips = await readTips(directory)
  const seen = tips.get(MAIN)
  const guard = createMainGuard({
    directory,
    ...(seen === undefined ? {} : { seen }),
    ...(identity === undefined ? {} : { identity }),
  })
  async function move(changes: readonly RefChange[]): Promise<void> {
    if (changes.length === 0) return
    const moved = await refs.update(changes)
    if (moved.outcome === 'stale')
      throw new FleetError('repository-damaged', `${directory} was changed by somebody else: ${moved.detail}`)
  }
  return {
    get tips() {
      return tips
    },
    async fetch() {
      await fetchIncoming(options)
      const incoming = await readTips(directory, INCOMING)
      await guard.admit(incoming)
      await move(differences(tips, incoming))
      tips = incoming
      return tips
    },
    check: () => guard.check(),
    expectMain: async (remote) => {
      if (!remote.has(MAIN)) await guard.admit(remote)
    },
    async advance(updates) {
      await move(updates.map(({ ref, next }) => ({ ref, expected: tips.get(ref), next })))
      tips = new Map([...tips, ...updates.map(({ ref, next }) => [ref, next] as const)])
      await guard.wrote(updates)
    },
    close: () => refs.close(),
  }
}

async function prepare(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  await removeStaleLocks(directory)
  await removeHalfPacks(directory)
  for (const [key, value] of SETTINGS) await git(['config', key, value], { directory })
}

/** Empties a clone that is of no use any more; everything in it is on the remote. */
export async function discardCache(directory: string): Promise<void> {
  await rm(directory, { recursive: true, force: true })
}

function differences(
  present: ReadonlyMap<RefName, ObjectId>,
  wanted: ReadonlyMap<RefName, ObjectId>,
): readonly RefChange[] {
  const changes: RefChange[] = []
  for (const [ref, next] of wanted)
    if (present.get(ref) !== next) changes.push({ ref, expected: present.get(ref), next })
  for (const [ref, expected] of present)
    if (!wanted.has(ref)) changes.push({ ref, expected, next: undefined })
  return changes
}

async function fetchIncoming({ directory, native }: CacheOptions): Promise<void> {
  const args = [
    'fetch',
    '--quiet',
    '--no-tags',
    '--prune',
    '--no-write-fetch-head',
    '--no-auto-maintenance',
    '--no-show-forced-updates',
    native.url,
    `+refs/heads/*:${INCOMING}/*`,
  ]
  const { code, words } = await runGit(args, { directory, environment: await native.environment() })
  if (code === 0) return
  throw (
    native.failure(words) ??
    new FleetError('repository-damaged', `git cannot fetch into ${directory}: ${native.redact(plain(words))}`)
  )
}

/** Whether a clone is worth keeping after this failure. */
export function isDamage(error: unknown): boolean {
  return isFleetError(error) && (error.code === 'internal' || error.code === 'repository-damaged')
}
