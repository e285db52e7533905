/** The tombstones of a fleet, found by all they are asked for by. */
import type { Id } from './ids.ts'
import { byCreation, Members } from './index-maps.ts'
import type { ClusterInstallation, Slug, Tombstone } from './intents.ts'

export class TombstoneIndex {
  readonly #byId: Map<Id, Tombstone>
  readonly #byCluster: Members<Tombstone>
  readonly #byDeployment: Map<Id, Id>
  /** Of placed installations whose removal is not complete. */
  readonly #open: Map<Id, Tombstone>

  constructor(from?: TombstoneIndex) {
    this.#byId = new Map(from === undefined ? [] : from.#byId)
    this.#byCluster = new Members(from === undefined ? undefined : from.#byCluster)
    this.#byDeployment = new Map(from === undefined ? [] : from.#byDeployment)
    this.#open = new Map(from === undefined ? [] : from.#open)
  }

  get(id: Id): Tombstone | undefined {
    return this.#byId.get(id)
  }

  list(): readonly Tombstone[] {
    return [...this.#byId.values()].sort(byCreation)
  }

  on(cluster: Slug): readonly Tombstone[] {
    return this.#byCluster.of(cluster)
  }

  byDeployment(id: Id): Tombstone | undefined {
    const owner = this.#byDeployment.get(id)
    return owner === undefined ? undefined : this.#byId.get(owner)
  }

  open(): readonly Tombstone[] {
    return [...this.#open.values()]
  }

  add(tombstone: Tombstone): void {
    const { id } = tombstone.metadata
    this.#byId.set(id, tombstone)
    for (const deployment of deploymentsOf(tombstone)) this.#byDeployment.set(deployment.id, id)
    const cluster = clusterOf(tombstone)
    if (cluster === undefined) return
    this.#byCluster.add(cluster, tombstone)
    if (tombstone.spec.removedAt === undefined) this.#open.set(id, tombstone)
  }

  remove(tombstone: Tombstone): void {
    const { id } = tombstone.metadata
    this.#byId.delete(id)
    this.#open.delete(id)
    for (const deployment of deploymentsOf(tombstone)) this.#byDeployment.delete(deployment.id)
    const cluster = clusterOf(tombstone)
    if (cluster !== undefined) this.#byCluster.remove(cluster, id)
  }
}

function clusterOf({ spec }: Tombstone): Slug | undefined {
  return spec.installation.spec.placement?.cluster
}

function deploymentsOf({ spec }: Tombstone): readonly ClusterInstallation[] {
  return spec.installation.spec.clusterInstallations ?? []
}
