/**
 * Tells in a merged pull request what became of its requests, in one comment that is kept up to date: accepted, placed
 * where and why, live, or what stands against it. What is still to be told is not kept anywhere: git says which requests
 * were accepted and for which pull request (trailers of their commits; the forge, where it was away when they were made), and
 * the states say how far each is. So nothing is lost with the process, the store or the forge, and telling it again after
 * a restart changes nothing.
 */
import type { FleetPath, Id, ObjectId } from '../../fleet/ids.ts'
import { isId } from '../../fleet/ids.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import { type FollowUp, followUpComment } from '../../fleet/review/follow-up-comment.ts'
import { PULL_REQUEST } from '../../fleet/transactions/requests.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Forge } from '../../ports/forge.ts'
import type { FleetHistory, FleetWriter, HistoryEntry } from '../../ports/writer.ts'
import { type Loop, startLoop } from '../loop.ts'
import { digestOf } from './check.ts'
import { type ForgeContact, isAway } from './forge-contact.ts'
import { type FollowedRequest, followUpOf, isAtItsEnd, type Observed } from './follow-ups.ts'
import type { Origins } from './origins.ts'

const COMMENT_KEY = 'outcome'
const INTERVAL_MILLISECONDS = 30_000
/** Commits that are looked through at the start. */
const MOST_COMMITS = 20_000
/** Older ones are told again only while something is still open. */
const TOLD_AGAIN_MILLISECONDS = 14 * 24 * 60 * 60_000
/** A forge says a moment later than git that it merged. */
const SEARCHED_MILLISECONDS = 2 * 60_000
const SEARCHED_AGAIN_MILLISECONDS = 20_000
/** A conversation may be locked, a right may be missing: somebody may put it right. */
const REFUSED_MILLISECONDS = 10 * 60_000
const MOST_PULL_REQUESTS = 5_000

export interface OutcomesOptions extends Observed {
  readonly forge: Pick<Forge, 'comment'>
  readonly contact: ForgeContact
  readonly origins: Pick<Origins, 'search' | 'refresh'>
  readonly writer: Pick<FleetWriter, 'fleet' | 'problems' | 'onChange'>
  readonly history: Pick<FleetHistory, 'log'>
  readonly publicUrl: string | undefined
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

interface Told {
  readonly requests: Map<FleetPath, FollowedRequest>
  /** Digest. */
  said: string | undefined
  /** After a refusal: not before, on the monotonic clock. */
  notBefore: number
}

/** A document whose pull request is not known yet. */
interface Sought {
  readonly path: FleetPath
  /** That brought it in; undefined: the one before it was accepted. */
  readonly commit: ObjectId | undefined
  /** On the monotonic clock. */
  readonly until: number
  readonly notBefore: number
}

export function startOutcomes(options: OutcomesOptions): Loop {
  const outcomes = new Outcomes(options)
  const { writer, observations, clock, onError } = options
  const loop = startLoop({
    ...{ clock, interval: INTERVAL_MILLISECONDS },
    run: (signal) => outcomes.run(signal),
    onError: (error) => (isAway(error) ? undefined : onError(error)),
  })
  const unsubscribe = [
    writer.onChange(({ changes, paths, by }) => {
      // Of others too: what they brought in may be held.
      if (outcomes.changed(changes, paths) || by === 'others') loop.wake()
    }),
    observations.onChange((kind, id) => {
      if (kind === 'installation' && outcomes.observed(id)) loop.wake()
    }),
  ]
  return {
    wake: loop.wake,
    async close() {
      for (const end of unsubscribe) end()
      await loop.close()
    },
  }
}

class Outcomes {
  readonly #options: OutcomesOptions
  readonly #told = new Map<number, Told>()
  readonly #owners = new Map<Id, number>()
  /** By path of the request; one that was held may be corrected by another pull request. */
  readonly #numbers = new Map<string, Set<number>>()
  readonly #dirty = new Set<number>()
  readonly #sought = new Map<string, Sought>()
  /** Documents that are held, by path and commit: looked for once. */
  #held = new Set<string>()
  #recovered = false

  constructor(options: OutcomesOptions) {
    this.#options = options
  }

  /** @returns whether there is something to tell */
  changed(changes: readonly IntentChange[], paths: readonly string[]): boolean {
    for (const change of changes) if (isAcceptance(change)) this.#seek(change.path, undefined)
    const touched = new Set<string>(paths)
    for (const { path, before, after } of changes) {
      touched.add(path)
      for (const intent of [before, after])
        if (intent?.kind === 'Installation' || intent?.kind === 'InstallationRequest')
          this.observed(intent.metadata.id)
    }
    for (const path of touched) for (const number of this.#numbers.get(path) ?? []) this.#dirty.add(number)
    return this.#sought.size + this.#dirty.size > 0
  }

  observed(id: Id | undefined): boolean {
    const number = id === undefined ? undefined : this.#owners.get(id)
    if (number !== undefined) this.#dirty.add(number)
    return number !== undefined
  }

  async run(signal: AbortSignal): Promise<void> {
    if (!this.#options.contact.isOpen) return
    if (!this.#recovered) await this.#recover()
    this.#seekHeld()
    await this.#findAll(signal)
    for (const number of [...this.#dirty]) {
      if (signal.aborted) return
      if (this.#isTime(this.#told.get(number))) await this.#tell(number)
    }
  }

  #isTime(what: { readonly notBefore: number } | undefined): boolean {
    return this.#options.clock.monotonic() >= (what?.notBefore ?? 0)
  }

  /** At the start: what git says of requests that were accepted. */
  async #recover(): Promise<void> {
    const { history, origins, clock } = this.#options
    // The first look takes longest, and a follow-up does not wait for it.
    await origins.refresh()
    const recent = clock.now() - TOLD_AGAIN_MILLISECONDS
    for (const entry of await history.log({ limit: MOST_COMMITS })) {
      const path = requestOf(entry)
      if (path === undefined) continue
      const isRecent = Date.parse(entry.at) >= recent
      const number = numberOf(entry)
      if (number !== undefined && (isRecent || this.#isOpen(entry))) this.#link(number, path, idOf(entry))
      else if (number === undefined && isRecent) this.#seek(path, undefined)
    }
    this.#recovered = true
  }

  /** Whether the installation of an old commit is still on its way. */
  #isOpen(entry: HistoryEntry): boolean {
    const { writer, recorded } = this.#options
    const id = idOf(entry)
    const installation = id === undefined ? undefined : writer.fleet.installation(id)
    if (installation === undefined || installation.spec.operation.kind !== 'creation') return false
    return recorded(installation.metadata.id) !== 'stable'
  }

  #seek(path: FleetPath, commit: ObjectId | undefined): void {
    const now = this.#options.clock.monotonic()
    const until = now + SEARCHED_MILLISECONDS
    this.#sought.set(`${path} ${commit ?? ''}`, { path, commit, until, notBefore: now })
  }

  /** What people brought in and does not count. */
  #seekHeld(): void {
    const held = new Set<string>()
    for (const { path, commit } of this.#options.writer.problems()) {
      if (commit === undefined) continue
      const key = `${path} ${commit}`
      held.add(key)
      // Paths and commits of problems are git's own.
      if (!this.#held.has(key)) this.#seek(path as FleetPath, commit as ObjectId)
    }
    this.#held = held
  }

  /** One look at the forge serves all; one that cannot be found holds up no other. */
  async #findAll(signal: AbortSignal): Promise<void> {
    const { origins, clock, onError } = this.#options
    let looking: Promise<void> | undefined
    const look = (): Promise<void> => (looking ??= origins.refresh())
    for (const [key, sought] of [...this.#sought]) {
      if (signal.aborted) return
      if (!this.#isTime(sought)) continue
      try {
        await this.#find(key, sought, look)
      } catch (error) {
        if (isAway(error)) throw error
        this.#sought.set(key, { ...sought, notBefore: clock.monotonic() + SEARCHED_AGAIN_MILLISECONDS })
        if (clock.monotonic() >= sought.until) this.#sought.delete(key)
        onError(error)
      }
    }
  }

  async #find(key: string, sought: Sought, look: () => Promise<void>): Promise<void> {
    const { path, commit, until } = sought
    const { history, origins, clock } = this.#options
    const [last, before] = await history.log({ paths: [path], limit: 2 })
    const isAccepted = commit === undefined
    const number = isAccepted ? numberOf(last) : undefined
    const by = isAccepted ? before?.commit : commit
    if (number === undefined && by !== undefined) await look()
    const origin = number === undefined && by !== undefined ? await origins.search(by, path) : undefined
    const found = number ?? origin?.number
    if (found !== undefined) this.#link(found, path, isAccepted ? idOf(last) : undefined)
    const now = clock.monotonic()
    if (found !== undefined || now >= until) this.#sought.delete(key)
    else this.#sought.set(key, { ...sought, notBefore: now + SEARCHED_AGAIN_MILLISECONDS })
  }

  #link(number: number, path: FleetPath, id: Id | undefined): void {
    const told = this.#told.get(number) ?? { requests: new Map(), said: undefined, notBefore: 0 }
    this.#told.set(number, told)
    if (told.requests.get(path)?.id === undefined) told.requests.set(path, { path, id })
    this.#numbers.set(path, (this.#numbers.get(path) ?? new Set()).add(number))
    if (id !== undefined) this.#owners.set(id, number)
    this.#dirty.add(number)
    if (this.#told.size > MOST_PULL_REQUESTS) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const [number, { requests }] of this.#told) {
      if (![...requests.values()].every(isAtItsEnd)) continue
      for (const { id, path } of requests.values()) {
        if (id !== undefined) this.#owners.delete(id)
        this.#numbers.delete(path)
      }
      this.#told.delete(number)
      return
    }
  }

  async #tell(number: number): Promise<void> {
    const { forge, contact, publicUrl, clock, onError } = this.#options
    const told = this.#told.get(number)
    this.#dirty.delete(number)
    if (told === undefined) return
    try {
      const all: FollowUp[] = []
      for (const [path, request] of [...told.requests].sort(([a], [b]) => (a < b ? -1 : 1))) {
        const followed = await followUpOf(this.#options, request)
        told.requests.set(path, followed.request)
        if (followed.request.id !== undefined) this.#owners.set(followed.request.id, number)
        if (followed.followUp !== undefined) all.push(followed.followUp)
      }
      if (all.length === 0) return
      const text = followUpComment(all, publicUrl === undefined ? {} : { publicUrl })
      const digest = digestOf(text)
      if (told.said === digest) return
      await contact.ask(() => forge.comment(number, COMMENT_KEY, text))
      told.said = digest
    } catch (error) {
      this.#dirty.add(number)
      if (isAway(error)) throw error
      told.notBefore = clock.monotonic() + REFUSED_MILLISECONDS
      onError(error)
    }
  }
}

/** A request that a person committed goes where its installation is. */
function isAcceptance({ before, after }: IntentChange): boolean {
  return before?.kind === 'InstallationRequest' && before.metadata.id === undefined && after === undefined
}

/** The document that a commit of Fleetwright accepted. */
function requestOf({ body, trailers }: HistoryEntry): FleetPath | undefined {
  if (trailers.Installation === undefined) return undefined
  const path = /^Asked for in (requests\/[^\n]+?\.yaml)(?:$|, pull request )/m.exec(body)?.[1]
  // As it was written by the transaction.
  return path as FleetPath | undefined
}

/** Every forge ends the address of a pull request with its number. */
function numberOf(entry: HistoryEntry | undefined): number | undefined {
  const number = /\/(\d{1,12})$/.exec(entry?.trailers[PULL_REQUEST] ?? '')?.[1]
  return number === undefined ? undefined : Number(number)
}

function idOf(entry: HistoryEntry | undefined): Id | undefined {
  const id = entry?.trailers.Installation ?? ''
  return isId(id) ? id : undefined
}
