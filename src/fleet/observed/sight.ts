/**
 * What is seen of an installation and of a cluster at a moment: the input of `state()`. Made of live objects by the
 * observer, kept in memory, built again after a start. Times are milliseconds since 1970.
 */
import type { EngineName } from '../intents.ts'
import type { HealthReport } from './health.ts'

/** Contact with a cluster's API server. Knowledge older than the contact is stale and said to be so. */
export interface Contact {
  readonly connected: boolean
  /** When the cluster last answered; undefined: never. */
  readonly lastContact: number | undefined
  /** Why there is no contact, in the API server's or the network's own words (no credentials in it). */
  readonly problem?: { readonly code: ContactProblem; readonly detail: string; readonly since: number }
}

export type ContactProblem =
  | 'credentials-missing'
  | 'credentials-invalid'
  | 'credentials-unavailable'
  | 'unauthorized'
  | 'forbidden'
  | 'unreachable'
  | 'certificate-invalid'
  | 'not-watched'

/** What the delivery engine says of the unit that an installation is in. */
export interface EngineSight {
  readonly engine: EngineName
  /** `mm-<id>` (Application) or the shard's Kustomization. */
  readonly name: string
  readonly sync: 'synced' | 'out-of-sync' | 'progressing' | 'failed' | 'unknown'
  /** Full object id of the revision that the engine last tried. Undefined when it tried none (a ref's name is none). */
  readonly revision: string | undefined
  /** That revision has just the folder that the fleet repository has now. */
  readonly current: boolean
  /** The engine's own health, when it tells one that can be trusted. */
  readonly health?: HealthReport
  readonly message?: string
  readonly observedAt: number
}

/** One object that belongs to an installation. */
export interface ResourceSight {
  readonly kind: string
  readonly name: string
  readonly report: HealthReport
  /** Since when the report has the same health and reason. */
  readonly since: number
}

export interface MattermostSight {
  readonly report: HealthReport
  readonly since: number
  /** Annotation `fleetwright.dev/generation`: the operation whose manifests live; undefined: not rendered by this version. */
  readonly operationGeneration: number | undefined
  readonly groupSequence: number | undefined
  readonly state: 'reconciling' | 'ready' | 'stable' | undefined
  /** The operator has processed the present spec. */
  readonly generationObserved: boolean
  readonly replicas: number | undefined
  readonly updatedReplicas: number | undefined
  readonly version: string | undefined
  readonly image: string | undefined
  readonly error: string | undefined
  readonly deleting: boolean
  /** The manifest that takes its protection away is applied. */
  readonly leaving: boolean
}

/** Pods of an installation, counted. */
export interface PodSight {
  readonly wanted: number
  /** Those that are not done and do not go away. */
  readonly total: number
  readonly running: number
  /** All of their containers have started. */
  readonly started: number
  readonly ready: number
  /** What keeps pods from being ready, for example `ImagePullBackOff`, with how many. */
  readonly problems: readonly { readonly reason: string; readonly message?: string; readonly count: number }[]
}

export interface InstallationSight {
  readonly contact: Contact
  readonly engine: EngineSight | undefined
  readonly namespace: 'active' | 'terminating' | 'missing'
  readonly mattermost: MattermostSight | undefined
  readonly resources: readonly ResourceSight[]
  readonly pods: PodSight | undefined
  /** Mattermost resources of the cluster that the operator works on now; from 20 on it takes no other. */
  readonly operatorBusy: number
  readonly ping?: {
    readonly ok: boolean
    readonly status: number | undefined
    readonly at: number
    readonly detail?: string
  }
  /** When anything of this was last seen to change or confirmed. */
  readonly observedAt: number
}
