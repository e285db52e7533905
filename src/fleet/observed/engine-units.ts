/** The engine's objects that files of the fleet repository are applied by, named as they are rendered (src/render/cluster). */
import type { Id } from '../ids.ts'
import type { EngineName, Slug } from '../intents.ts'
import { shardOf } from '../paths.ts'

/** Where the engines live on the control cluster. */
export const ENGINE_NAMESPACES = { argocd: 'argocd', flux: 'flux-system' } as const satisfies Record<
  EngineName,
  string
>

/** Argo CD: an Application (or its ApplicationSet). Flux: a GitRepository, and a Kustomization of the same name. */
export interface EngineObject {
  readonly engine: EngineName
  readonly namespace: string
  readonly name: string
}

export interface EngineUnit extends EngineObject {
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

/** What applies the control folder of an engine. */
export function controlUnitOf(engine: EngineName): EngineObject {
  return { engine, namespace: ENGINE_NAMESPACES[engine], name: 'fleetwright' }
}

/** What applies `system/control` and `system/manifests` of a cluster. Flux has one source for both. */
export function systemUnitOf(engine: EngineName, cluster: Slug, part: 'system' | 'manifests'): EngineObject {
  const name = engine === 'argocd' ? `${cluster}-${part}` : `${cluster}-system`
  return { engine, namespace: ENGINE_NAMESPACES[engine], name }
}

/** The ApplicationSet of the installations of a cluster. */
export function installationsUnitOf(cluster: Slug): EngineObject {
  return { engine: 'argocd', namespace: ENGINE_NAMESPACES.argocd, name: `${cluster}-installations` }
}

/** The ApplicationSet makes one Application an installation. */
export function applicationNameOf(id: Id): string {
  return `mm-${id}`
}

export function shardUnitNameOf(cluster: Slug, shard: string): string {
  return `${cluster}-shard-${shard}`
}
