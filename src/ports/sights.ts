/** What the observer knows at the moment, for answers about health. Kept in memory, built again after a start. */
import type { Id } from '../fleet/ids.ts'
import type { Slug } from '../fleet/intents.ts'
import type { Verdict } from '../fleet/observed/judge.ts'
import type { Contact, InstallationSight, ResourceSight } from '../fleet/observed/sight.ts'
import type { NodeCapacity } from '../fleet/observed/workloads.ts'

export interface ObservedInstallation {
  /** Undefined while it has no cluster. */
  readonly sight: InstallationSight | undefined
  readonly verdict: Verdict
  /** Since when the state, and the health, are what they are; milliseconds since 1970. */
  readonly stateSince: number
  readonly healthSince: number
}

export interface ObservedCluster {
  readonly contact: Contact
  /** Everything there is has been told and changes are heard at once; otherwise what is shown may be old. */
  readonly fresh: boolean
  readonly nodes: NodeCapacity
  readonly operatorBusy: number
  /** What it needs beside Kubernetes, for example the EKS cluster as AWS sees it. */
  readonly resources: readonly ResourceSight[]
}

export interface Sights {
  installation(id: Id): ObservedInstallation | undefined
  cluster(name: Slug): ObservedCluster | undefined
  /** Contact with the control cluster, where the engines are; undefined when none is configured. */
  control(): Contact | undefined
}

/** When nothing is observed (`--loops none`, no credentials). */
export const NO_SIGHTS: Sights = {
  installation: () => undefined,
  cluster: () => undefined,
  control: () => undefined,
}
