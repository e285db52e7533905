/** The engine's object that an installation is applied by, and where that object's revisions have the installation's folder. */
import type { Id } from '../ids.ts'
import type { EngineName, Slug } from '../intents.ts'
import { shardOf } from '../paths.ts'

/** Where the engines live on the control cluster. */
export const ENGINE_NAMESPACES = { argocd: 'argocd', flux: 'flux-system' } as const satisfies Record<
  EngineName,
  string
>

export interface EngineUnit {
  readonly engine: EngineName
  readonly namespace: string
  readonly name: string
  /** Folder of the installation in the tree of the ref that the engine reads. */
  readonly folder: string
}

export function engineUnitOf(engine: EngineName, cluster: Slug, id: Id): EngineUnit {
  const shard = shardOf(id)
  const namespace = ENGINE_NAMESPACES[engine]
  return engine === 'argocd'
    ? { engine, namespace, name: applicationNameOf(id), folder: `installations/${shard}/${id}` }
    : { engine, namespace, name: shardUnitNameOf(cluster, shard), folder: id }
}

/** The ApplicationSet makes one Application an installation. */
export function applicationNameOf(id: Id): string {
  return `mm-${id}`
}

export function shardUnitNameOf(cluster: Slug, shard: string): string {
  return `${cluster}-shard-${shard}`
}
