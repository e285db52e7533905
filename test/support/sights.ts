/** What is seen of a healthy installation, with what a test changes of it. */
import type { Verdict } from '../../src/fleet/observed/judge.ts'
import type { EngineSight, InstallationSight, MattermostSight } from '../../src/fleet/observed/sight.ts'
import type { ObservedInstallation } from '../../src/ports/sights.ts'

const SEEN_AT = Date.parse('2026-11-24T10:00:00Z')

const STABLE = { health: 'healthy', reason: 'Stable', message: 'Stable 11.2.0' } as const

/** A Mattermost resource that its operator calls stable. @param since milliseconds since 1970 */
export function stableMattermost(since: number, extra: Partial<MattermostSight> = {}): MattermostSight {
  return {
    report: STABLE,
    since,
    operationGeneration: 1,
    groupSequence: undefined,
    state: 'stable',
    generationObserved: true,
    replicas: 1,
    updatedReplicas: 1,
    version: '11.2.0',
    image: 'image',
    error: undefined,
    deleting: false,
    leaving: false,
    ...extra,
  }
}

export interface SightChanges {
  readonly verdict?: Partial<Verdict>
  readonly engine?: Partial<EngineSight>
  readonly mattermost?: Partial<MattermostSight>
  readonly sight?: Partial<InstallationSight>
}

export function observed({ verdict, engine, mattermost, sight }: SightChanges = {}): ObservedInstallation {
  return {
    stateSince: SEEN_AT,
    healthSince: SEEN_AT,
    verdict: { state: 'stable', reason: 'Stable', stuck: false, health: STABLE, completed: true, ...verdict },
    sight: {
      contact: { connected: true, lastContact: SEEN_AT },
      engine: {
        ...{ engine: 'argocd', name: 'mm', sync: 'synced', revision: 'a'.repeat(40), current: true },
        observedAt: SEEN_AT,
        ...engine,
      },
      namespace: 'active',
      mattermost: stableMattermost(SEEN_AT, mattermost),
      resources: [],
      pods: { wanted: 1, total: 1, running: 1, started: 1, ready: 1, problems: [] },
      operatorBusy: 0,
      observedAt: SEEN_AT,
      ...sight,
    },
  }
}
