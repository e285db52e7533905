/**
 * Where the policy is `heal`, asks the engine of a drifted installation to apply git again. Bounded: a unit is asked a few
 * times, each time later, and then left alone until it has been quiet for a while. Only annotations of the engine's object are written,
 * never the cluster.
 */
import { engineFor } from '../fleet/engine.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { Id } from '../fleet/ids.ts'
import type { Slug } from '../fleet/intents.ts'
import { type EngineUnit, engineUnitOf } from '../fleet/observed/engine-units.ts'
import { APPLICATION, KUSTOMIZATION } from '../fleet/observed/engines.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { Drift, Drifts, Healing } from '../ports/drifts.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { startLoop } from './loop.ts'
import { type Nudge, tell } from './nudge.ts'

const BEAT_MILLISECONDS = 1_000
/** Of one beat: a thousand drifted installations must not make the engine look at all of them in the same moment. */
const MOST_A_BEAT = 16
/** How long after one time the next one comes; there are no more times than this. */
export const HEAL_PAUSES_MILLISECONDS = [30_000, 120_000, 300_000, 600_000, 600_000] as const
/** Without drift and without being asked for this long, a unit starts anew: what fights the engine does not. */
const QUIET_MILLISECONDS = 900_000

export interface DriftHealerOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  readonly drifts: Pick<Drifts, 'of'>
  /** Of the control cluster. */
  readonly api: Pick<ClusterApi, 'annotate' | 'contact'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface DriftHealer {
  /** Drift of an installation was found, or is gone. */
  changed(cluster: Slug, installation: Id): void
  /** What was done for it; undefined: nothing. */
  healing(drift: Pick<Drift, 'cluster' | 'installation'>): Healing | undefined
  close(): Promise<void>
}

interface Patient {
  readonly unit: EngineUnit
  /** With drift. */
  readonly installations: Set<Id>
  times: number
  lastAt: number
}

export function startDriftHealer({ writer, drifts, api, clock, onError }: DriftHealerOptions): DriftHealer {
  const patients = new Map<string, Patient>()
  const loop = startLoop({ clock, interval: BEAT_MILLISECONDS, run, onError })

  async function run(): Promise<void> {
    const now = clock.now()
    const due: Patient[] = []
    for (const [key, patient] of patients) {
      if (isOver(patient, now)) patients.delete(key)
      else if (due.length < MOST_A_BEAT && isDue(patient, now) && isWanted(patient)) due.push(patient)
    }
    // Nobody is there to be asked.
    if (!api.contact.connected) return
    await Promise.all(due.map((patient) => ask(patient, now).catch(onError)))
  }

  /** The policy may have changed since the drift was found. */
  function isWanted({ installations }: Patient): boolean {
    const { fleet } = writer
    if (fleet.settings.spec.nudgeEngines === false) return false
    return [...installations].some((id) => drifts.of(id).length > 0 && policyOf(fleet, id) === 'heal')
  }

  async function ask(patient: Patient, now: number): Promise<void> {
    // A time that fails is a time as well: the pauses hold for it too.
    patient.times += 1
    patient.lastAt = now
    await tell(api, healNudge(patient.unit, String(now)))
  }

  return {
    changed(cluster, installation) {
      const unit = unitOf(writer.fleet, cluster, installation)
      const patient = patients.get(unit.name)
      if (drifts.of(installation).length === 0) {
        patient?.installations.delete(installation)
        return
      }
      if (patient === undefined)
        patients.set(unit.name, {
          unit,
          installations: new Set([installation]),
          times: 0,
          lastAt: 0,
        })
      else patient.installations.add(installation)
      loop.wake()
    },
    healing({ cluster, installation }) {
      const patient = patients.get(unitOf(writer.fleet, cluster, installation).name)
      if (patient === undefined || patient.times === 0) return undefined
      const { times, lastAt } = patient
      return { times, lastAt, gaveUp: times > HEAL_PAUSES_MILLISECONDS.length }
    },
    close: () => loop.close(),
  }
}

function isDue({ installations, times, lastAt }: Patient, now: number): boolean {
  if (installations.size === 0 || times > HEAL_PAUSES_MILLISECONDS.length) return false
  const pause = times === 0 ? 0 : (HEAL_PAUSES_MILLISECONDS[times - 1] ?? 0)
  return now - lastAt >= pause
}

function isOver({ installations, lastAt }: Patient, now: number): boolean {
  return installations.size === 0 && now - lastAt >= QUIET_MILLISECONDS
}

/** The group's, else the fleet's; `report` when nobody says. */
export function policyOf(fleet: Fleet, installation: Id): 'report' | 'heal' {
  const group = fleet.installation(installation)?.spec.group
  const own = group ? fleet.group(group)?.spec.drift?.policy : undefined
  return own ?? fleet.settings.spec.drift?.policy ?? 'report'
}

function unitOf(fleet: Fleet, cluster: Slug, id: Id): EngineUnit {
  return engineUnitOf(engineFor(fleet.settings, fleet.cluster(cluster)), cluster, id)
}

/** Flux applies the Kustomization again; Argo CD renders and compares again, and syncs what differs. */
function healNudge({ engine, namespace, name }: EngineUnit, token: string): Nudge {
  return engine === 'argocd'
    ? { kind: APPLICATION, namespace, name, annotations: { 'argocd.argoproj.io/refresh': 'hard' } }
    : { kind: KUSTOMIZATION, namespace, name, annotations: { 'reconcile.fluxcd.io/requestedAt': token } }
}
