/**
 * Which fleet a data directory belongs to: the root of its history, main as it was seen last, and the repository on the forge.
 * A file of its own, so that a repository that was emptied, replaced or pushed back is known even when the clone is gone.
 */
import { open, readFile, rename } from 'node:fs/promises'
import { dirname } from 'node:path'
import { FleetError, isFleetError } from '../fleet/errors.ts'
import { isObjectId, type ObjectId } from '../fleet/ids.ts'
import type { Clock } from '../ports/clock.ts'
import { syncFiles } from './sync-files.ts'

/** Main moves with every window, the file not more often than this. What lies between is in the clone too. */
const WRITE_MILLISECONDS = 1_000

export interface ForgeRepository {
  /** Of the forge and the repository, for people. */
  readonly url: string
  /** As the forge numbers it. */
  readonly id: string
}

export interface FleetIdentity {
  /** Root of the history; undefined: no fleet was seen yet. */
  readonly root: ObjectId | undefined
  /** Main as it was seen last; up to a second behind after a crash. */
  readonly main: ObjectId | undefined
  /** A commit that a person named: a history that contains it is taken in place of the one before, once. */
  readonly accepted: ObjectId | undefined
  /** Why nothing may be written, when that is so. */
  readonly trouble: FleetError | undefined
  /** Takes note of main. */
  saw(main: ObjectId, root: ObjectId): void
  /** The named commit was found in main, so it stands for nothing any more. */
  useAccepted(): void
  /** @returns `trouble` from now on, when the forge has another repository there than it had */
  sawRepository(repository: ForgeRepository): FleetError | undefined
  /** Writes what is not written yet. */
  close(): Promise<void>
}

export interface FleetIdentityOptions {
  /** File in the data directory; its folder exists. */
  readonly path: string
  readonly accept?: ObjectId
  readonly clock: Pick<Clock, 'sleep'>
  /** An error of writing; it is tried again with the next change. */
  readonly onError: (error: unknown) => void
}

interface Known {
  readonly root?: ObjectId
  readonly main?: ObjectId
  /** What `accept` named and was used up. */
  readonly accepted?: ObjectId
  readonly repository?: ForgeRepository
}

/** @throws FleetError `invalid-configuration` when the file cannot be read */
export async function openFleetIdentity(options: FleetIdentityOptions): Promise<FleetIdentity> {
  let known = await readKnown(options.path)
  /** For the whole process: the forge is asked later than git. */
  const isConfirmed = options.accept !== undefined && options.accept !== known.accepted
  let trouble: FleetError | undefined
  const file = createLazyFile(options)
  function set(next: Known): void {
    known = next
    file.write(`${JSON.stringify({ version: 1, ...known }, undefined, 2)}\n`)
  }
  return {
    get root() {
      return known.root
    },
    get main() {
      return known.main
    },
    get accepted() {
      return options.accept === known.accepted ? undefined : options.accept
    },
    get trouble() {
      return trouble
    },
    saw(main, root) {
      if (known.main !== main || known.root !== root) set({ ...known, main, root })
    },
    useAccepted() {
      if (options.accept !== undefined) set({ ...known, accepted: options.accept })
    },
    sawRepository(repository) {
      const before = known.repository
      const isSame = before?.url === repository.url && before.id === repository.id
      const isReplaced = before?.url === repository.url && !isSame && !isConfirmed
      trouble = isReplaced ? replacedOnForge(before, repository, known.main) : undefined
      if (!isSame && !isReplaced) set({ ...known, repository })
      return trouble
    },
    close: () => file.close(),
  }
}

function replacedOnForge(
  before: ForgeRepository,
  { url, id }: ForgeRepository,
  main: ObjectId | undefined,
): FleetError {
  return new FleetError(
    'history-rewritten',
    `${url} is another repository (number ${id}) than the one this data directory belongs to (number ${before.id}): somebody deleted it and made a new one. Nothing is written. If that is wanted, start with --accept-new-history ${main ?? '<commit of its main>'}.`,
  )
}

async function readKnown(path: string): Promise<Known> {
  let text: string
  try {
    text = await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {}
    throw unreadable(path, error)
  }
  try {
    return knownOf(JSON.parse(text))
  } catch (error) {
    throw isFleetError(error) ? error : unreadable(path, error)
  }
}

function knownOf(value: Readonly<Record<string, unknown>>): Known {
  if (value.version !== 1) throw new TypeError(`version ${String(value.version)} is not known`)
  const oid = (key: string): Record<string, ObjectId> => {
    const text = value[key]
    if (text === undefined) return {}
    if (typeof text === 'string' && isObjectId(text)) return { [key]: text }
    throw new TypeError(`${key} must be the id of a commit`)
  }
  return { ...oid('root'), ...oid('main'), ...oid('accepted'), ...repositoryOf(value.repository) }
}

function repositoryOf(value: unknown): Pick<Known, 'repository'> {
  if (value === undefined) return {}
  const { url, id } = Object(value) as Readonly<Record<string, unknown>>
  if (typeof url !== 'string' || typeof id !== 'string')
    throw new TypeError('repository must have url and id')
  return { repository: { url, id } }
}

function unreadable(path: string, cause: unknown): FleetError {
  const why = cause instanceof Error ? cause.message : String(cause)
  return new FleetError(
    'invalid-configuration',
    `${path} says which fleet this data directory belongs to, and cannot be read (${why}). Restore it; or delete it when you are sure that the repository is the right one.`,
    {},
    { cause },
  )
}

interface LazyFile {
  write(text: string): void
  close(): Promise<void>
}

/** The first text at once, later ones together after a while; never half a file. */
function createLazyFile({ path, clock, onError }: FleetIdentityOptions): LazyFile {
  const stop = new AbortController()
  let waiting: string | undefined
  let writing: Promise<void> | undefined
  async function work(): Promise<void> {
    while (waiting !== undefined) {
      const text = waiting
      waiting = undefined
      await replaceFile(path, text).catch(onError)
      if (!stop.signal.aborted) await clock.sleep(WRITE_MILLISECONDS, stop.signal).catch(whenStopped)
    }
    writing = undefined
  }
  function whenStopped(error: unknown): void {
    if (!stop.signal.aborted) throw error
  }
  return {
    write(text) {
      waiting = text
      writing ??= work()
    },
    async close() {
      stop.abort()
      await writing
    },
  }
}

async function replaceFile(path: string, text: string): Promise<void> {
  const temporary = `${path}.new`
  const file = await open(temporary, 'w', 0o600)
  try {
    await file.writeFile(text)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
  await syncFiles([dirname(path)])
}
