/**
 * `judge(intent, sight)`: the state on the wire of an installation, why, since when, and the way out. Pure. States are
 * computed from what is wanted and what is seen, never stored (reference: mattermost-cloud §2.2).
 */
import type { Installation, InstallationOperation } from '../intents.ts'
import type { HealthReport } from './health.ts'
import { contactReason, healthOf, reasonOf } from './installation-health.ts'
import { furthest } from './progress.ts'
import { type DeletionInput, deletionStep, NOTHING_KNOWN, type RemovalStep } from './removal.ts'
import type { InstallationSight, ResourceSight } from './sight.ts'

export interface Deadlines {
  /** An error must last this long before it is shown, milliseconds: operators flicker on a healthy first pass. */
  readonly debounce: number
  /** From then on a step that is still under way is called stuck, with what it waits for. */
  readonly stuck: number
  /** From then on an operation that is stuck has failed. It goes on by itself when the cause goes away. */
  readonly failed: number
}

export const DEADLINES: Deadlines = { debounce: 2_000, stuck: 10 * 60_000, failed: 30 * 60_000 }

/** The operator works on so many Mattermost resources of a cluster at a time. */
const OPERATOR_SLOTS = 20

export interface Verdict {
  /** On the wire. */
  readonly state: string
  /** What the state waits for, or why it failed; for people. */
  readonly reason: string
  /** Set when the reason is something that a person has to see to. */
  readonly wayOut?: string
  readonly stuck: boolean
  readonly health: HealthReport
  /** The operation has reached its end: remembered, so that a later disturbance is one of health and not of state. */
  readonly completed: boolean
  /** What a deletion is ready for. */
  readonly removalStep?: RemovalStep
  /** When the verdict may change without anything new being seen, milliseconds since 1970. */
  readonly judgeAgainAt?: number
}

export interface JudgeInput {
  readonly installation: Installation
  /** Undefined while it has no cluster. */
  readonly sight: InstallationSight | undefined
  /** Why placement found no cluster. */
  readonly waitingFor?: string
  /** The last generation whose operation is known to have reached its end. */
  readonly completedGeneration?: number
  /** State that this very operation was last told to be in. */
  readonly reached?: string
  /** Of a deletion; read before the sight was made. */
  readonly deletion?: DeletionInput
  readonly now: number
  readonly deadlines: Deadlines
}

interface Names {
  readonly requested: string
  readonly working: string
  readonly done: string
  readonly failed: string
}

const NAMES: Readonly<Record<InstallationOperation, Names>> = {
  creation: {
    requested: 'creation-requested',
    working: 'creation-in-progress',
    done: 'stable',
    failed: 'creation-failed',
  },
  update: {
    requested: 'update-requested',
    working: 'update-in-progress',
    done: 'stable',
    failed: 'update-failed',
  },
  hibernation: {
    requested: 'hibernation-requested',
    working: 'hibernation-in-progress',
    done: 'hibernating',
    failed: 'hibernation-in-progress',
  },
  'wake-up': {
    requested: 'wake-up-requested',
    working: 'update-in-progress',
    done: 'stable',
    failed: 'update-failed',
  },
  'deletion-pending': {
    requested: 'deletion-pending-requested',
    working: 'deletion-pending-in-progress',
    done: 'deletion-pending',
    failed: 'deletion-pending-in-progress',
  },
  'deletion-cancellation': {
    requested: 'deletion-cancellation-requested',
    working: 'update-in-progress',
    done: 'stable',
    failed: 'update-failed',
  },
  deletion: {
    requested: 'deletion-requested',
    working: 'deletion-in-progress',
    // Only its documents going makes it deleted.
    done: 'deletion-final-cleanup',
    failed: 'deletion-failed',
  },
  'dns-migration': {
    requested: 'dns-migration-hibernated',
    working: 'dns-migration-hibernated',
    done: 'hibernating',
    failed: 'dns-migration-hibernated',
  },
}

export function judge(input: JudgeInput): Verdict {
  const { installation, sight, completedGeneration } = input
  const { operation } = installation.spec
  const names = NAMES[operation.kind]
  if (sight === undefined) return waiting(input, names)
  const health = healthOf(input, sight)
  if (
    operation.kind !== 'deletion' &&
    completedGeneration !== undefined &&
    completedGeneration >= operation.generation
  )
    return {
      state: names.done,
      reason: health.message,
      stuck: false,
      health,
      completed: true,
      ...attention(health),
      ...expiry(input),
    }
  const step = stepOf(input, sight, names)
  const verdict = timed(input, sight, { ...step, health }, names)
  return { ...verdict, state: furthest(input.reached, verdict.state) }
}

/** A pending deletion whose time is up and that is held back all the same says why. */
function expiry({ installation, deletion, now }: JudgeInput): Partial<Verdict> {
  const { operation, deletion: planned } = installation.spec
  if (operation.kind !== 'deletion-pending' || planned?.pendingExpiresAt === undefined) return {}
  const at = Date.parse(planned.pendingExpiresAt)
  if (now < at) return { judgeAgainAt: at }
  return deletion?.hold === undefined ? {} : { reason: deletion.hold }
}

function waiting({ installation, waitingFor }: JudgeInput, names: Names): Verdict {
  const { kind } = installation.spec.operation
  const state =
    kind === 'creation' && waitingFor !== undefined ? 'creation-no-compatible-clusters' : names.requested
  const reason = waitingFor ?? 'No cluster was chosen yet'
  const health = { health: 'missing', reason: 'NotPlaced', message: reason } as const
  const wayOut =
    waitingFor === undefined
      ? {}
      : {
          wayOut: 'It is placed by itself when a cluster fits: add one, make room, or change the annotations',
        }
  return { state, reason, stuck: false, health, completed: false, ...wayOut }
}

export interface Step {
  readonly state: string
  readonly reason: string
  readonly done: boolean
  /** Since when this very step is known to be under way, when that is later than the request. */
  readonly since?: number
  /** Waits its turn: not stuck, however long it takes. */
  readonly queued?: boolean
  readonly removalStep?: RemovalStep
  /** When more may be known. */
  readonly againAt?: number
}

/** How far the operation has come. */
function stepOf(input: JudgeInput, sight: InstallationSight, names: Names): Step {
  const { operation } = input.installation.spec
  const { mattermost, engine } = sight
  if (operation.kind === 'deletion') return deletionStep(sight, input.deletion ?? NOTHING_KNOWN, input.now)
  const live =
    mattermost?.operationGeneration !== undefined && mattermost.operationGeneration >= operation.generation
  if (!live) {
    if (engine?.sync === 'failed')
      return {
        state: names.requested,
        reason: `${engineName(sight)} cannot apply it: ${engine.message ?? 'it does not say why'}`,
        done: false,
      }
    if (operation.kind === 'creation' && sight.namespace === 'active' && mattermost === undefined)
      return provisioning(sight)
    return {
      state: names.requested,
      reason: `Committed; ${engineName(sight)} has not applied it yet`,
      done: false,
    }
  }
  if (operation.kind === 'creation') {
    const open = sight.resources.find(
      (resource) => resource.report.health === 'progressing' || resource.report.health === 'degraded',
    )
    if (open !== undefined && (open.kind === 'Record' || mattermost.report.health !== 'healthy'))
      return openStep(open)
  }
  if (mattermost.report.reason === 'GenerationNotObserved' || mattermost.report.reason === 'NotProcessed') {
    if (sight.operatorBusy >= OPERATOR_SLOTS)
      return {
        state: names.working,
        reason: `Waits for a slot of the Mattermost operator, which works on ${sight.operatorBusy} others`,
        done: false,
        queued: true,
      }
    return { state: names.working, reason: mattermost.report.message, done: false }
  }
  return ends(input.installation, sight, names)
}

function ends(installation: Installation, sight: InstallationSight, names: Names): Step {
  const { mattermost, pods } = sight
  const hibernates = installation.spec.hibernated === true
  if (mattermost?.report.health === 'healthy' && !hibernates)
    return { state: names.done, reason: mattermost.report.message, done: true }
  if (mattermost?.report.health === 'suspended' && hibernates) {
    const left = pods?.ready ?? 0
    if (left === 0) return { state: names.done, reason: 'Hibernated (0 replicas)', done: true }
    return { state: names.working, reason: `${left} pods still run`, done: false }
  }
  return { state: names.working, reason: reasonOf(sight), done: false }
}

function provisioning({ resources }: InstallationSight): Step {
  const open = resources.find(({ report }) => report.health !== 'healthy' && report.health !== 'unknown')
  return open === undefined
    ? {
        state: 'creation-pre-provisioning',
        reason: 'Its namespace is there, Mattermost is not yet',
        done: false,
      }
    : openStep(open)
}

/** The DNS record comes last: while only it is open, that is what the wire calls configuring DNS. */
function openStep({ kind, name, report, since }: ResourceSight): Step {
  return {
    state: kind === 'Record' ? 'creation-configuring-dns' : 'creation-pre-provisioning',
    reason: `${kind} ${name}: ${report.message}`,
    done: false,
    since,
  }
}

/** Time turns a step into a stuck one and then a failed one; an error that has not lasted is not shown. */
function timed(
  input: JudgeInput,
  sight: InstallationSight,
  step: Step & { readonly health: HealthReport },
  names: Names,
): Verdict {
  const { installation, now, deadlines } = input
  const { done, state, reason, health, queued, againAt } = step
  if (done) return { state, reason, stuck: false, health, completed: true, ...attention(health) }
  const started = Math.max(Date.parse(installation.spec.operation.requestedAt), step.since ?? 0)
  const elapsed = now - started
  const next = [
    ...[started + deadlines.stuck, started + deadlines.failed, ...ripening(sight, deadlines)],
    ...(againAt === undefined ? [] : [againAt]),
  ].filter((at) => at > now)
  const again = {
    ...(next.length === 0 ? {} : { judgeAgainAt: Math.min(...next) }),
    ...(step.removalStep === undefined ? {} : { removalStep: step.removalStep }),
  }
  if (queued === true || elapsed < deadlines.stuck || !sight.contact.connected)
    return { state, reason: contactReason(sight) ?? reason, stuck: false, health, completed: false, ...again }
  const stuckReason = `${names.working === state ? 'Mattermost' : state} for ${minutes(elapsed)} min: ${reason}`
  const failed =
    elapsed >= deadlines.failed &&
    (health.health === 'degraded' ||
      (sight.pods?.problems.length ?? 0) > 0 ||
      sight.engine?.sync === 'failed')
  return {
    state: failed ? names.failed : state,
    reason: stuckReason,
    stuck: true,
    health,
    completed: false,
    wayOut: wayOutOf(failed, installation.spec.operation.kind),
    ...again,
  }
}

function ripening({ mattermost }: InstallationSight, deadlines: Deadlines): readonly number[] {
  return mattermost?.report.health === 'degraded' ? [mattermost.since + deadlines.debounce] : []
}

function engineName({ engine }: InstallationSight): string {
  return engine?.engine === 'flux' ? 'Flux' : engine?.engine === 'argocd' ? 'Argo CD' : 'the engine'
}

function minutes(milliseconds: number): number {
  return Math.floor(milliseconds / 60_000)
}

function attention(health: HealthReport): { readonly wayOut?: string } {
  return health.health === 'degraded' ? { wayOut: 'See to the reason; the health follows by itself' } : {}
}

function wayOutOf(failed: boolean, kind: InstallationOperation): string {
  const cause = 'It goes on by itself when the cause is gone'
  if (kind === 'deletion')
    return `${cause}; when the cluster is lost, remove the folder of the installation by a commit: its tombstone allows that`
  if (kind === 'creation')
    return failed
      ? `${cause}; or retry it (POST /api/installation/{id}), or delete it`
      : `${cause}; or delete it`
  const revert = 'revert the commit (POST /api/fleet/revert)'
  return failed ? `${cause}; or change it again, or ${revert}` : `${cause}; or ${revert}`
}
