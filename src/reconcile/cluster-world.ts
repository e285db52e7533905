/** What lives on one cluster, as its watches tell it: kept small, by installation, and built again whenever needed. */
import { numberAt, textAt } from '../fleet/observed/json.ts'
import {
  DEPLOYMENT,
  DEPLOYMENT_SELECTOR,
  JUDGED_KINDS,
  PLAIN_KINDS,
  type JudgedKind,
  NAMESPACE,
  NODE,
  POD,
  POD_SELECTOR,
} from '../fleet/observed/kinds.ts'
import { keepMattermost, MATTERMOST, mattermostSight, takesSlot } from '../fleet/observed/mattermost.ts'
import { keepMetadata, type LiveObject, objectKey, type ResourceKind } from '../fleet/observed/objects.ts'
import type { Contact, InstallationSight, MattermostSight, ResourceSight } from '../fleet/observed/sight.ts'
import {
  keepDeployment,
  keepNode,
  keepPod,
  type NodeCapacity,
  nodeCapacity,
  podSight,
} from '../fleet/observed/workloads.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi, Watch } from '../ports/clusters.ts'

/** All but what only the control cluster and the workspace itself can tell. */
export type ClusterSight = Omit<InstallationSight, 'engine' | 'ping'>

export interface ClusterWorld {
  readonly contact: Contact
  /** Every watch has its whole list and is connected. */
  readonly fresh: boolean
  readonly nodes: NodeCapacity
  /** Mattermost resources that the operator works on. */
  readonly operatorBusy: number
  sightOf(namespace: string): ClusterSight
  close(): Promise<void>
}

export interface ClusterWorldOptions {
  readonly api: ClusterApi
  readonly clock: Clock
  /** Something in this namespace changed. */
  readonly onTouch: (namespace: string) => void
  /** Contact was lost or found, or its problem changed. */
  readonly onContact: () => void
  /** Every object of an installation as it came, before it is trimmed; `removed`: it is gone. */
  readonly onObject?: (kind: ResourceKind, object: LiveObject, removed: boolean) => void
}

/** What is kept of one namespace. */
interface Inhabitant {
  phase: 'active' | 'terminating' | 'missing'
  mattermost: { readonly sight: MattermostSight; readonly busy: boolean } | undefined
  replicas: number | undefined
  readonly pods: Map<string, LiveObject>
  readonly resources: Map<string, ResourceSight>
  changedAt: number
}

export function openClusterWorld(options: ClusterWorldOptions): ClusterWorld {
  return new World(options)
}

class World implements ClusterWorld {
  readonly #options: ClusterWorldOptions
  readonly #watches: readonly Watch[]
  readonly #inhabitants = new Map<string, Inhabitant>()
  readonly #nodes = new Map<string, LiveObject>()
  readonly #unsubscribe: () => void
  #busy = 0

  constructor(options: ClusterWorldOptions) {
    this.#options = options
    this.#unsubscribe = options.api.onContact(options.onContact)
    this.#watches = [
      this.#watch(NODE, keepNode, (object, removed) => this.#node(object, removed)),
      this.#watch(NAMESPACE, keepPhase, (object, removed) => this.#namespace(object, removed)),
      this.#watch(MATTERMOST, keepMattermost, (object, removed) => this.#mattermost(object, removed)),
      this.#watch(POD, keepPod, (object, removed) => this.#pod(object, removed), POD_SELECTOR),
      this.#watch(
        DEPLOYMENT,
        keepDeployment,
        (object, removed) => this.#deployment(object, removed),
        DEPLOYMENT_SELECTOR,
      ),
      ...PLAIN_KINDS.map((kind) => this.#watch(kind, keepNothing, () => undefined)),
      ...JUDGED_KINDS.map((judged) =>
        this.#watch(judged.kind, judged.keep, (object, removed) => this.#resource(judged, object, removed)),
      ),
    ]
  }

  get contact(): Contact {
    return this.#options.api.contact
  }

  get fresh(): boolean {
    return this.#watches.every((watch) => watch.fresh)
  }

  get nodes(): NodeCapacity {
    return nodeCapacity(this.#nodes.values())
  }

  get operatorBusy(): number {
    return this.#busy
  }

  sightOf(namespace: string): ClusterSight {
    const here = this.#inhabitants.get(namespace)
    const { contact } = this
    const observedAt = Math.max(here?.changedAt ?? 0, contact.lastContact ?? 0)
    if (here === undefined)
      return {
        contact,
        namespace: 'missing',
        mattermost: undefined,
        resources: [],
        pods: undefined,
        operatorBusy: this.#busy,
        observedAt,
      }
    const wanted = here.replicas ?? here.mattermost?.sight.replicas
    return {
      contact,
      namespace: here.phase,
      mattermost: here.mattermost?.sight,
      resources: [...here.resources.values()],
      pods: wanted === undefined ? undefined : podSight(here.pods.values(), wanted),
      operatorBusy: this.#busy,
      observedAt,
    }
  }

  async close(): Promise<void> {
    this.#unsubscribe()
    await Promise.all(this.#watches.map((watch) => watch.close()))
  }

  #watch(
    kind: ResourceKind,
    keep: (object: LiveObject) => LiveObject,
    take: (object: LiveObject, removed: boolean) => void,
    labelSelector?: string,
  ): Watch {
    const { api, onObject } = this.#options
    // Pods and Deployments are the operator's, nodes nobody's: git names none of them.
    const belongs = kind !== NODE && kind !== POD && kind !== DEPLOYMENT
    return api.watch({
      kind,
      keep: (object) => {
        if (belongs) onObject?.(kind, object, false)
        return keep(object)
      },
      ...(labelSelector === undefined ? {} : { labelSelector }),
      onChange: ({ object, removed }) => {
        if (removed && belongs) onObject?.(kind, object, true)
        take(object, removed)
      },
    })
  }

  /** @param change what to do with what is kept of the object's namespace */
  #change({ metadata, kind }: LiveObject, change: (here: Inhabitant) => void): void {
    const namespace = kind === 'Namespace' ? metadata.name : (metadata.namespace ?? '')
    let here = this.#inhabitants.get(namespace)
    if (here === undefined) {
      here = {
        phase: 'missing',
        mattermost: undefined,
        replicas: undefined,
        pods: new Map(),
        resources: new Map(),
        changedAt: 0,
      }
      this.#inhabitants.set(namespace, here)
    }
    change(here)
    here.changedAt = this.#options.clock.now()
    if (
      here.phase === 'missing' &&
      here.mattermost === undefined &&
      here.pods.size === 0 &&
      here.resources.size === 0
    )
      this.#inhabitants.delete(namespace)
    this.#options.onTouch(namespace)
  }

  #node(object: LiveObject, removed: boolean): void {
    if (removed) this.#nodes.delete(object.metadata.name)
    else this.#nodes.set(object.metadata.name, object)
  }

  #namespace(object: LiveObject, removed: boolean): void {
    this.#change(object, (here) => {
      here.phase = removed
        ? 'missing'
        : textAt(object.status, 'phase') === 'Terminating'
          ? 'terminating'
          : 'active'
    })
  }

  #mattermost(object: LiveObject, removed: boolean): void {
    this.#change(object, (here) => {
      if (here.mattermost?.busy === true) this.#busy -= 1
      if (removed) {
        here.mattermost = undefined
        return
      }
      const busy = takesSlot(object)
      if (busy) this.#busy += 1
      here.mattermost = {
        sight: mattermostSight(object, here.mattermost?.sight, this.#options.clock.now()),
        busy,
      }
    })
  }

  #pod(object: LiveObject, removed: boolean): void {
    this.#change(object, ({ pods }) => {
      if (removed) pods.delete(object.metadata.name)
      else pods.set(object.metadata.name, object)
    })
  }

  #deployment(object: LiveObject, removed: boolean): void {
    this.#change(object, (here) => {
      here.replicas = removed ? undefined : numberAt(object.spec, 'replicas')
    })
  }

  #resource({ kind, health }: JudgedKind, object: LiveObject, removed: boolean): void {
    const { name, namespace = '' } = object.metadata
    const key = objectKey(kind, namespace, name)
    this.#change(object, ({ resources }) => {
      if (removed) {
        resources.delete(key)
        return
      }
      const report = health(object)
      const before = resources.get(key)
      const same = before?.report.health === report.health && before.report.reason === report.reason
      resources.set(key, {
        kind: kind.kind,
        name,
        report,
        since: same ? before.since : this.#options.clock.now(),
      })
    })
  }
}

function keepPhase({ apiVersion, kind, metadata, status }: LiveObject): LiveObject {
  const phase = textAt(status, 'phase')
  return { apiVersion, kind, metadata: keepMetadata(metadata), status: phase === undefined ? {} : { phase } }
}

function keepNothing({ apiVersion, kind, metadata }: LiveObject): LiveObject {
  return { apiVersion, kind, metadata: keepMetadata(metadata) }
}
