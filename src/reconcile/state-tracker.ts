/**
 * Tells the world of every change of state exactly once. States are computed, so a change is found by comparing with what
 * was recorded last; record and event are one durable transaction, and what was missed by a crash is found at the next start.
 */
import type { Fleet, IntentChange } from '../fleet/fleet.ts'
import { type Id, idFromBytes } from '../fleet/ids.ts'
import type { Installation } from '../fleet/intents.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Observations, ObservedKind } from '../ports/observations.ts'
import type { FleetStore, RecordedState, StateEvent } from '../ports/store.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { everything, ofCluster, ofInstallation, type Present } from './present-states.ts'

const NEW = 'n/a'
const DELETED = 'deleted'
const RETRY_MILLISECONDS = 1_000
/** Between two transactions: each waits for the disk, and the process waits with it. */
const PAUSE_MILLISECONDS = 100
/** Marks a store that was in use before. */
const MARK: Pick<RecordedState, 'kind' | 'id'> = { kind: 'fleet', id: 'fleet' as Id }

export interface StateTrackerOptions {
  readonly writer: FleetWriter
  readonly observations: Observations
  readonly store: FleetStore
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onError: (error: unknown) => void
  /** Events were written. */
  readonly onEvents: (events: readonly StateEvent[]) => void
}

export interface StateTracker {
  /** What is observed while `observe` runs is taken as known already: it makes no events. */
  adopt(observe: () => void): void
  recorded(kind: ObservedKind, id: Id): RecordedState | undefined
  /** Resolves when everything that happened is durable. */
  settled(): Promise<void>
  close(): Promise<void>
}

export async function startStateTracker(options: StateTrackerOptions): Promise<StateTracker> {
  const recorded = new Map<string, RecordedState>()
  await options.store.states((state) => void recorded.set(keyOf(state), state))
  return new Tracker(options, recorded)
}

class Tracker implements StateTracker {
  readonly #options: StateTrackerOptions
  readonly #recorded: Map<string, RecordedState>
  /** Deployment to its installation. */
  readonly #owners = new Map<Id, Id>()
  readonly #unsubscribe: readonly (() => void)[]
  readonly #stop = new AbortController()
  #states = new Map<string, RecordedState>()
  #events: StateEvent[] = []
  #gone: Pick<RecordedState, 'kind' | 'id'>[] = []
  #adopting = false
  #writing: Promise<void> | undefined
  #writtenAt = Number.NEGATIVE_INFINITY
  /** Ends the pause before the write that is under way. */
  #hurry = new AbortController()

  constructor(options: StateTrackerOptions, recorded: Map<string, RecordedState>) {
    this.#options = options
    this.#recorded = recorded
    const { writer, observations } = options
    this.#catchUp()
    this.#unsubscribe = [
      writer.onChange(({ changes }) => {
        for (const change of changes) this.#intent(change)
      }),
      observations.onChange((kind, id) => this.#observed(kind, id)),
    ]
  }

  adopt(observe: () => void): void {
    this.#adopting = true
    try {
      observe()
    } finally {
      this.#adopting = false
    }
  }

  recorded(kind: ObservedKind, id: Id): RecordedState | undefined {
    return this.#recorded.get(keyOf({ kind, id }))
  }

  async settled(): Promise<void> {
    while (this.#writing !== undefined) {
      this.#hurry.abort()
      await this.#writing
    }
  }

  async close(): Promise<void> {
    for (const unsubscribe of this.#unsubscribe) unsubscribe()
    this.#stop.abort()
    await this.settled()
  }

  /** At the start: what changed while nobody looked. A store that is new has nothing to compare with. */
  #catchUp(): void {
    const { fleet } = this.#options.writer
    const known = this.#recorded.has(keyOf(MARK))
    const left = new Set(this.#recorded.keys())
    left.delete(keyOf(MARK))
    for (const present of everything(fleet, this.#options.observations)) {
      left.delete(keyOf(present))
      // Nothing is observed yet: only an operation that was not told of is news.
      const before = this.#recorded.get(keyOf(present))
      if (before === undefined || before.generation < present.generation) this.#take(present, known)
    }
    for (const installation of fleet.installations()) this.#own(installation)
    for (const key of left) {
      const state = this.#recorded.get(key)
      if (state !== undefined && state.kind !== 'fleet')
        this.#remove({
          ...state,
          kind: state.kind,
          extraData: { ...this.#environment(), ...goneData(fleet, state) },
        })
    }
    if (!known) this.#put({ ...MARK, state: '', generation: 0, since: this.#options.clock.now() })
    this.#write()
  }

  #intent({ before, after }: IntentChange): void {
    const { observations } = this.#options
    if (after?.kind === 'Installation' || after?.kind === 'InstallationRequest') {
      const { id } = after.metadata
      if (id === undefined) return
      const { fleet } = this.#options.writer
      const installation = after.kind === 'Installation' ? after : fleet.installation(id)
      if (installation === undefined) return
      this.#own(installation)
      const silent = isSilent(before, installation)
      for (const present of ofInstallation(fleet, installation, observations)) this.#take(present, !silent)
    } else if (after?.kind === 'Cluster') {
      this.#take(ofCluster(this.#options.writer.fleet, after.metadata.id, observations), true)
    } else if (after?.kind === 'Tombstone' || (after === undefined && before !== undefined))
      this.#removed(before)
    this.#write()
  }

  /** A document that goes may have moved: only what is nowhere any more is gone. */
  #removed(before: IntentChange['before']): void {
    if (before?.kind !== 'Installation' && before?.kind !== 'InstallationRequest') return
    const { id, name } = before.metadata
    const { fleet } = this.#options.writer
    if (id === undefined || fleet.installation(id) !== undefined) return
    const deployments = before.kind === 'Installation' ? (before.spec.clusterInstallations ?? []) : []
    for (const deployment of deployments) {
      const ClusterID = fleet.cluster(deployment.cluster)?.metadata.id ?? ''
      this.#removeKnown('clusterInstallation', deployment.id, { ClusterID })
      this.#owners.delete(deployment.id)
    }
    this.#removeKnown('installation', id, { Name: name })
  }

  #removeKnown(kind: ObservedKind, id: Id, extraData: Readonly<Record<string, string>>): void {
    const state = this.#recorded.get(keyOf({ kind, id }))
    if (state !== undefined)
      this.#remove({ ...state, kind, extraData: { ...this.#environment(), ...extraData } })
  }

  #observed(kind: ObservedKind, id: Id): void {
    for (const present of this.#find(kind, id)) this.#take(present, !this.#adopting)
    this.#write()
  }

  #find(kind: ObservedKind, id: Id): readonly Present[] {
    const { writer, observations } = this.#options
    if (kind === 'cluster') return present(ofCluster(writer.fleet, id, observations))
    const owner = kind === 'installation' ? id : this.#owners.get(id)
    const installation = owner === undefined ? undefined : writer.fleet.installation(owner)
    if (installation === undefined) return []
    return ofInstallation(writer.fleet, installation, observations).filter(
      (one) => one.kind === kind && one.id === id,
    )
  }

  #own({ metadata, spec }: Installation): void {
    for (const deployment of spec.clusterInstallations ?? []) this.#owners.set(deployment.id, metadata.id)
  }

  #take(present: Present | undefined, tell: boolean): void {
    if (present === undefined) return
    const { kind, id, state, generation, reason } = present
    const before = this.#recorded.get(keyOf(present))
    // A new operation in the same state is news as well: the original tells it too.
    const news =
      before === undefined ||
      before.state !== state ||
      (before.generation < generation && state.endsWith('-requested'))
    if (!news && before.generation === generation) return
    const now = this.#options.clock.now()
    this.#put({
      kind,
      id,
      state,
      generation,
      since: news ? now : before.since,
      ...(reason === undefined ? {} : { reason }),
    })
    if (tell && news) this.#tell(present, before?.state ?? NEW, state)
  }

  /** The state `deleted` is recorded together with its event, and forgotten afterwards: a crash in between tells it once. */
  #remove(gone: Present): void {
    if (gone.state !== DELETED) this.#tell(gone, gone.state, DELETED)
    const { kind, id, generation } = gone
    this.#recorded.delete(keyOf(gone))
    const since = this.#options.clock.now()
    this.#states.set(keyOf(gone), { kind, id, state: DELETED, generation, since })
    this.#gone.push(gone)
  }

  #tell({ kind, id, extraData }: Present, oldState: string, newState: string): void {
    if (kind === 'group') return
    const { clock, randomness } = this.#options
    const resourceType = kind === 'clusterInstallation' ? 'cluster_installation' : kind
    this.#events.push({
      id: idFromBytes(randomness.bytes(26)),
      at: clock.now(),
      resourceType,
      resourceId: id,
      oldState,
      newState,
      extraData,
    })
  }

  #put(state: RecordedState): void {
    this.#recorded.set(keyOf(state), state)
    this.#states.set(keyOf(state), state)
  }

  #environment(): Readonly<Record<string, string>> {
    return { Environment: this.#options.writer.fleet.settings.spec.environment }
  }

  #write(): void {
    if (this.#states.size + this.#events.length + this.#gone.length === 0) return
    this.#writing ??= this.#writeAll().finally(() => {
      this.#writing = undefined
      this.#write()
    })
  }

  /** The first change is written at once; those that follow soon after it wait for each other. */
  async #pause(): Promise<void> {
    await new Promise((resolve) => setImmediate(resolve))
    const { clock } = this.#options
    const rest = this.#writtenAt + PAUSE_MILLISECONDS - clock.monotonic()
    const signal = AbortSignal.any([this.#stop.signal, this.#hurry.signal])
    if (rest > 0 && !signal.aborted) {
      await clock.sleep(rest, signal).catch((error: unknown) => {
        if (!signal.aborted) throw error
      })
    }
    this.#hurry = new AbortController()
    this.#writtenAt = clock.monotonic()
  }

  /** Many changes are one transaction. What cannot be written now is kept and tried again. */
  async #writeAll(): Promise<void> {
    await this.#pause()
    const { store, clock, onError, onEvents } = this.#options
    const [states, events, gone] = [[...this.#states.values()], this.#events, this.#gone]
    this.#states = new Map()
    this.#events = []
    this.#gone = []
    for (;;) {
      try {
        await store.record(states, events)
        if (gone.length > 0) await store.forget(gone)
        break
      } catch (error) {
        onError(error)
        // What is not written is found again by the next start.
        if (this.#stop.signal.aborted) return
        await clock.sleep(RETRY_MILLISECONDS, this.#stop.signal).catch(() => undefined)
      }
    }
    if (events.length > 0) onEvents(events)
  }
}

function keyOf({ kind, id }: Pick<RecordedState, 'kind' | 'id'>): string {
  return `${kind}/${id}`
}

/** What the events of an installation say of it, when only its tombstone is left. */
function goneData(fleet: Fleet, { kind, id }: RecordedState): Readonly<Record<string, string>> {
  if (kind === 'installation') {
    const name = fleet.tombstone(id)?.metadata.name
    return name === undefined ? {} : { Name: name }
  }
  if (kind !== 'clusterInstallation') return {}
  const deployments = fleet.tombstoneByDeployment(id)?.spec.installation.spec.clusterInstallations
  const cluster = deployments?.find((deployment) => deployment.id === id)?.cluster
  return cluster === undefined ? {} : { ClusterID: fleet.cluster(cluster)?.metadata.id ?? '' }
}

function present(one: Present | undefined): readonly Present[] {
  return one === undefined ? [] : [one]
}

/** The original makes no event when a group is left or a deletion is cancelled; portals count on the ones it makes. */
function isSilent(before: IntentChange['before'], { spec }: Installation): boolean {
  if (spec.operation.kind === 'deletion-cancellation') return true
  const hadGroup =
    (before?.kind === 'Installation' || before?.kind === 'InstallationRequest') &&
    typeof before.spec.group === 'string'
  return hadGroup && spec.group === null
}
