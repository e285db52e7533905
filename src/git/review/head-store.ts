/**
 * Heads of pull requests, in a bare repository of their own beside the one that is written: what strangers made never gets
 * into that one. It reads its objects, fetches within limits, and can be thrown away at any time.
 */
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import { isObjectId, type ObjectId, type RefName } from '../../fleet/ids.ts'
import { git, type ProcessLimits, runGit } from '../child-process.ts'
import type { NativeAccess, ObjectReader } from '../contracts.ts'
import { createObjectReader } from '../object-reader.ts'
import { removeHalfPacks, removeStaleLocks } from '../pack-folder.ts'
import { readTips } from '../ref-transactions.ts'
import type { ReviewLimits } from './limits.ts'

export interface HeadStoreOptions {
  /** Of this store; other files in it go. */
  readonly directory: string
  /** The bare repository with main. */
  readonly mainDirectory: string
  /** Undefined: heads are in the repository with main. */
  readonly remote: NativeAccess | undefined
  readonly limits: ReviewLimits
}

export type Brought =
  | { readonly outcome: 'brought'; readonly head: ObjectId }
  /** The head itself is at fault. */
  | { readonly outcome: 'refused'; readonly code: string; readonly detail: string }

export interface HeadStore {
  /** Has the objects of main, and of the heads that were brought. */
  readonly gitDirectory: string
  readonly objects: ObjectReader
  /**
   * Fetches nothing when the head it is to be at is here.
   * @throws FleetError `remote-unavailable`, `remote-denied`, `not-found`
   */
  bring(number: number, headRef: RefName, expected: ObjectId): Promise<Brought>
  /** Forgets the heads of all others. */
  keepOnly(numbers: ReadonlySet<number>): Promise<void>
  close(): Promise<void>
}

const REVIEWS = 'refs/reviews'
/** More packs than this are made one. */
const MOST_PACKS = 30

/** Nothing is executed, nothing is unpacked into memory that is not bounded, nothing is fetched that was not asked for. */
const SETTINGS = [
  ['core.alternateRefsPrefixes', 'refs/heads/main'],
  ['core.attributesFile', '/dev/null'],
  ['core.bigFileThreshold', '1m'],
  ['core.deltaBaseCacheLimit', '32m'],
  ['core.hooksPath', '/dev/null'],
  ['core.logAllRefUpdates', 'false'],
  ['core.packedGitLimit', '256m'],
  ['core.packedGitWindowSize', '32m'],
  ['core.protectHFS', 'true'],
  ['core.protectNTFS', 'true'],
  ['fetch.fsckObjects', 'true'],
  ['fetch.recurseSubmodules', 'false'],
  ['fetch.unpackLimit', '1'],
  ['gc.auto', '0'],
  ['maintenance.auto', 'false'],
  ['pack.threads', '1'],
  ['pack.windowMemory', '64m'],
  ['submodule.recurse', 'false'],
  ['transfer.bundleURI', 'false'],
] as const

export async function openHeadStore(options: HeadStoreOptions): Promise<HeadStore> {
  const { directory, mainDirectory, remote } = options
  await prepare(directory, mainDirectory)
  const objects = createObjectReader(directory)
  return {
    gitDirectory: directory,
    objects,
    async bring(number, headRef, expected) {
      const own = `${REVIEWS}/${number}`
      if (remote === undefined) return { outcome: 'brought', head: await tipOf(mainDirectory, headRef) }
      if ((await tipIfThere(directory, own)) === expected) return { outcome: 'brought', head: expected }
      const refused = await fetchHead(options, remote, headRef, own)
      return refused ?? { outcome: 'brought', head: await tipOf(directory, own) }
    },
    async keepOnly(numbers) {
      const tips = await readTips(directory, REVIEWS)
      const gone = [...tips.keys()]
        .map((ref) => ref.slice('refs/heads/'.length))
        .filter((number) => !numbers.has(Number(number)))
      const input = gone.map((number) => `delete ${REVIEWS}/${number}\n`).join('')
      if (input !== '') await git(['update-ref', '--stdin'], { directory, input })
      const packs = (await readdir(join(directory, 'objects', 'pack'))).filter((name) =>
        name.endsWith('.pack'),
      )
      if (packs.length > MOST_PACKS) await git(['repack', '-a', '-d', '-l', '--quiet'], { directory })
    },
    close: () => objects.close(),
  }
}

async function prepare(directory: string, mainDirectory: string): Promise<void> {
  await mkdir(directory, { recursive: true })
  const { code } = await runGit(['rev-parse', '--git-dir'], { directory })
  // Half of a repository, or something else: nothing in it is worth keeping.
  if (code !== 0) await rm(directory, { recursive: true, force: true })
  await git(['init', '--quiet', '--bare', '--initial-branch=main', '--template=', directory])
  await mkdir(join(directory, 'objects', 'info'), { recursive: true })
  await writeFile(join(directory, 'objects', 'info', 'alternates'), `${resolve(mainDirectory)}/objects\n`)
  await removeStaleLocks(directory)
  await removeHalfPacks(directory)
  for (const [key, value] of SETTINGS) await git(['config', key, value], { directory })
}

async function fetchHead(
  { directory, limits }: HeadStoreOptions,
  remote: NativeAccess,
  headRef: RefName,
  own: string,
): Promise<Extract<Brought, { outcome: 'refused' }> | undefined> {
  const args = [
    ...['-c', 'protocol.allow=never', '-c', `protocol.${protocolOf(remote.url)}.allow=always`],
    ...['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', '--no-auto-maintenance'],
    ...['--no-show-forced-updates', '--no-recurse-submodules', '--refmap='],
    ...[remote.url, `+${headRef}:${own}`],
  ]
  const { code, words } = await runGit(args, {
    directory,
    environment: await remote.environment(),
    timeLimitMilliseconds: limits.milliseconds,
    limits: processLimits(limits),
  })
  if (code === 0) return undefined
  await removeHalfPacks(directory)
  return refusalOf(remote, code, words, headRef, limits)
}

/** For git's work on objects of strangers. */
export function processLimits({ packBytes, memoryBytes, milliseconds }: ReviewLimits): ProcessLimits {
  return { fileBytes: packBytes, memoryBytes, cpuSeconds: Math.ceil(milliseconds / 1000) }
}

/** A limit of the process; by a signal, of which git says no more than that its helper ended, or by the call that failed. */
const LIMIT =
  /died of signal|invalid index-pack output|file too large|out of memory|malloc|cannot allocate|mmap failed/i
const BROKEN_OFF = /early eof|hung up|unexpected disconnect|protocol error|rpc failed/i
const FSCK = /^error: object ([0-9a-f]{40}): (.*)$/m

/** @throws FleetError when not the head is at fault */
function refusalOf(
  remote: NativeAccess,
  code: number,
  words: string,
  headRef: RefName,
  { packBytes, milliseconds }: ReviewLimits,
): Extract<Brought, { outcome: 'refused' }> {
  // What the server says of itself is not about the head.
  const own = words.replaceAll(/^remote: .*$/gm, '')
  const wrong = FSCK.exec(own)
  if (wrong !== null) {
    const detail = `object ${wrong[1]} of it is not what git would write (${(wrong[2] ?? '').slice(0, 200)}); make the commit again with git itself`
    return { outcome: 'refused', code: 'malformed-objects', detail }
  }
  if (LIMIT.test(own) && !BROKEN_OFF.test(own)) {
    const detail = `what it adds is more than can be looked at: ${packBytes} bytes packed are the most, and memory and time to unpack them; make several pull requests of it, without large files`
    return { outcome: 'refused', code: 'too-large', detail }
  }
  if (/couldn't find remote ref/i.test(words))
    throw new FleetError('not-found', `The fleet repository has no ${headRef}; the pull request is gone.`)
  const seconds = Math.ceil(milliseconds / 1000)
  const said =
    code === -1 ? `it took more than ${seconds} seconds` : remote.redact(words.trim()).slice(0, 500)
  throw (
    remote.failure(words) ??
    new FleetError('remote-unavailable', `Fetching ${headRef} of the fleet repository failed: ${said}`)
  )
}

function protocolOf(url: string): string {
  const scheme = /^([a-z]+):\/\//i.exec(url)?.[1]?.toLowerCase()
  if (scheme !== undefined) return scheme
  return /^[^/]+:/.test(url) ? 'ssh' : 'file'
}

/** @throws FleetError `not-found` */
async function tipOf(directory: string, ref: string): Promise<ObjectId> {
  const tip = await tipIfThere(directory, ref)
  if (tip !== undefined) return tip
  throw new FleetError('not-found', `There is no ${ref} in the fleet repository; the pull request is gone.`)
}

async function tipIfThere(directory: string, ref: string): Promise<ObjectId | undefined> {
  const { code, output } = await runGit(['rev-parse', '--verify', '--quiet', `${ref}^{commit}`], {
    directory,
  })
  const oid = output.toString('latin1').trim()
  return code === 0 && isObjectId(oid) ? oid : undefined
}
