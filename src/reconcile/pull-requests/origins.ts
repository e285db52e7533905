/**
 * Which pull request a commit of main comes from. The forge says by which commit each was merged; git says what lies
 * between. A merge brings its commits in by its second parent, a squash is the commit itself, and a rebase puts a row of
 * commits on main of which the forge names the last: there what the pull request changed has to agree as well, so that a
 * commit that somebody pushed just before it is not taken for a part of it.
 */
import { isFleetError } from '../../fleet/errors.ts'
import type { FleetPath, ObjectId } from '../../fleet/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Forge, PullRequest } from '../../ports/forge.ts'
import type { FindOrigin, Origin } from '../../ports/pull-requests.ts'
import type { FleetHistory } from '../../ports/writer.ts'
import type { ForgeContact } from './forge-contact.ts'

const BASE = 'main'
/** So long a follow-up waits at most. */
const PATIENCE_MILLISECONDS = 3_000
/** A forge moves main first and says that it merged a moment later. */
const BETWEEN_LOOKS = 250
/** How far back merged pull requests are asked for at the first look, milliseconds. */
const LOOK_BACK = 14 * 24 * 60 * 60_000
/** Clocks differ. */
const OVERLAP = 10 * 60_000
/** Merged ones that are looked at in git, newest first; each costs some reads. */
const MOST_LOOKED_AT = 20
/** Commits of one pull request. */
const MOST_COMMITS = 250
const MOST_REMEMBERED = 1_000
const MOST_PATHS = 100

export interface OriginsOptions {
  readonly forge: Pick<Forge, 'endedPullRequests' | 'pullRequest'>
  readonly contact: ForgeContact
  readonly history: Pick<FleetHistory, 'log' | 'parentOf' | 'fileAt'>
  /** Name in the commits of Fleetwright. */
  readonly committer: string
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface Origins {
  /** Within some seconds, whatever the forge does. */
  readonly find: FindOrigin
  /** Among what the last look found. Undefined: it comes from none of those. */
  search(commit: ObjectId, path: FleetPath): Promise<Origin | undefined>
  /** Looks at what was merged lately. @throws FleetError what the forge says */
  refresh(): Promise<void>
  /** What an open pull request changes, as planned. */
  remember(pull: PullRequest, paths: readonly string[]): void
}

interface Remembered {
  readonly pull: PullRequest
  readonly paths: ReadonlySet<string>
}

export function createOrigins(options: OriginsOptions): Origins {
  const { clock, contact, onError } = options
  const merged = new MergedPullRequests(options)
  const merges = new Merges(options)
  const open = new Map<number, Remembered>()
  async function search(commit: ObjectId, path: FleetPath): Promise<Origin | undefined> {
    const found = await match({ ...options, merges }, merged.newestFirst(), { commit, path }, open)
    return found === undefined ? undefined : originOf(found)
  }
  async function lookAgain(commit: ObjectId, path: FleetPath, until: number): Promise<Origin | undefined> {
    for (;;) {
      await merged.refresh()
      const found = await search(commit, path)
      const mayCome = [...open.values()].some(
        ({ pull, paths }) => paths.has(path) && !merged.has(pull.number),
      )
      if (found !== undefined || !mayCome || clock.monotonic() >= until) return found
      await clock.sleep(BETWEEN_LOOKS)
    }
  }
  return {
    search,
    refresh: () => merged.refresh(),
    async find(commit, path) {
      if (!contact.isOpen) return undefined
      const late = new AbortController()
      const looking = lookAgain(commit, path, clock.monotonic() + PATIENCE_MILLISECONDS - BETWEEN_LOOKS)
      const answer = looking.catch((error: unknown) => {
        if (!isFleetError(error)) onError(error)
        return undefined
      })
      const patience = clock.sleep(PATIENCE_MILLISECONDS, late.signal).catch(() => undefined)
      const found = await Promise.race([answer, patience.then(() => undefined)])
      late.abort()
      return found
    },
    remember(pull, paths) {
      open.delete(pull.number)
      open.set(pull.number, { pull, paths: new Set(paths.slice(0, MOST_PATHS)) })
      for (const oldest of open.keys()) {
        if (open.size <= MOST_REMEMBERED) return
        open.delete(oldest)
      }
    },
  }
}

/** Merged pull requests of the last days, kept up with. */
class MergedPullRequests {
  readonly #options: OriginsOptions
  readonly #known = new Map<number, PullRequest>()
  #refreshedAt: number | undefined
  #refreshing: Promise<void> | undefined
  #next: Promise<void> | undefined

  constructor(options: OriginsOptions) {
    this.#options = options
  }

  has(number: number): boolean {
    return this.#known.has(number)
  }

  newestFirst(): readonly PullRequest[] {
    return [...this.#known.values()].sort((a, b) => b.updatedAt - a.updatedAt)
  }

  /** As the forge has them after this call; many calls at a time are one or two questions. */
  async refresh(): Promise<void> {
    if (this.#refreshing === undefined) return await this.#begin()
    // What is under way may have been asked before the merge that is looked for.
    this.#next ??= this.#refreshing
      .catch(() => undefined)
      .then(() => {
        this.#next = undefined
        return this.#begin()
      })
    await this.#next
  }

  async #begin(): Promise<void> {
    this.#refreshing ??= this.#ask().finally(() => {
      this.#refreshing = undefined
    })
    await this.#refreshing
  }

  async #ask(): Promise<void> {
    const { forge, contact, clock } = this.#options
    const now = clock.now()
    const since = this.#refreshedAt === undefined ? now - LOOK_BACK : this.#refreshedAt - OVERLAP
    for (const pull of await contact.ask(() => forge.endedPullRequests(BASE, since)))
      if (pull.state === 'merged' && pull.mergedAs !== undefined) this.#known.set(pull.number, pull)
    this.#refreshedAt = now
    for (const [number, pull] of this.#known) if (pull.updatedAt < now - LOOK_BACK) this.#known.delete(number)
  }
}

interface Sought {
  readonly commit: ObjectId
  readonly path: FleetPath
}

async function match(
  options: OriginsOptions & { readonly merges: Merges },
  merged: readonly PullRequest[],
  sought: Sought,
  remembered: ReadonlyMap<number, Remembered>,
): Promise<PullRequest | undefined> {
  const { commit } = sought
  const exact = merged.find(({ mergedAs }) => mergedAs === commit)
  if (exact !== undefined) return exact
  const ends = new Set(merged.map(({ mergedAs }) => mergedAs))
  for (const pull of merged.slice(0, MOST_LOOKED_AT)) {
    const { mergedAs } = pull
    if (mergedAs === undefined) continue
    if ((await options.merges.broughtIn(mergedAs)).has(commit)) return pull
    if (
      (await isInRow(options, mergedAs, commit, ends)) &&
      (await changes(options, pull, mergedAs, sought, remembered))
    )
      return pull
  }
  return undefined
}

/** What merges brought in by their second parent; the same for ever. */
class Merges {
  readonly #history: OriginsOptions['history']
  readonly #known = new Map<ObjectId, ReadonlySet<ObjectId>>()

  constructor({ history }: OriginsOptions) {
    this.#history = history
  }

  async broughtIn(mergedAs: ObjectId): Promise<ReadonlySet<ObjectId>> {
    const there = this.#known.get(mergedAs)
    if (there !== undefined) return there
    const found = new Set<ObjectId>()
    const isHere = await known(async () => {
      const before = await this.#history.parentOf(mergedAs)
      if (before === undefined) return true
      const entries = await this.#history.log({ from: mergedAs, since: before, limit: MOST_COMMITS + 1 })
      for (const { commit } of entries) found.add(commit)
      return true
    })
    if (!isHere) return found
    if (this.#known.size >= MOST_LOOKED_AT * 4) this.#known.clear()
    this.#known.set(mergedAs, found)
    return found
  }
}

/** From the commit to the end of the rebase are only commits of people, and no other pull request ends there. */
async function isInRow(
  { history, committer }: OriginsOptions,
  mergedAs: ObjectId,
  commit: ObjectId,
  ends: ReadonlySet<ObjectId | undefined>,
): Promise<boolean> {
  return await known(async () => {
    const row = await history.log({ from: mergedAs, since: commit, limit: MOST_COMMITS })
    if (row.length === 0 || row.length === MOST_COMMITS) return false
    const first = row.at(-1)
    if (first === undefined || (await history.parentOf(first.commit)) !== commit) return false
    return row.every(
      (entry) => entry.committer !== committer && (entry.commit === mergedAs || !ends.has(entry.commit)),
    )
  })
}

/** Whether the pull request changes this document, into what main then had. */
async function changes(
  { history }: OriginsOptions,
  { number, head }: PullRequest,
  mergedAs: ObjectId,
  { commit, path }: Sought,
  remembered: ReadonlyMap<number, Remembered>,
): Promise<boolean> {
  if (remembered.get(number)?.paths.has(path) === true) return true
  // One that its branch was made on is not a part of it.
  const isOwn = await known(
    async () => (await history.log({ from: commit, since: head, limit: 1 })).length > 0,
  )
  if (!isOwn) return false
  const text = await history.fileAt(head, path)
  return text !== undefined && text === (await history.fileAt(mergedAs, path))
}

/** A commit that is not here yet is in no row. */
async function known(look: () => Promise<boolean>): Promise<boolean> {
  try {
    return await look()
  } catch (error) {
    if (isFleetError(error) && error.code === 'not-found') return false
    throw error
  }
}

function originOf({ number, url, title }: PullRequest): Origin {
  return { number, url, title }
}
