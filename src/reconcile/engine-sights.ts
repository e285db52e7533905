/** What the engine says of each installation, and whether it is about the manifests that the fleet repository has now. */
import { engineFor } from '../fleet/engine.ts'
import { type Id, isId, type ObjectId } from '../fleet/ids.ts'
import type { EngineName, Slug } from '../fleet/intents.ts'
import { applicationNameOf, engineUnitOf, shardUnitNameOf } from '../fleet/observed/engine-units.ts'
import type { Contact, EngineSight } from '../fleet/observed/sight.ts'
import { installationFolder } from '../fleet/paths.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { FolderIds } from '../ports/folders.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { openEngineWorld } from './engine-world.ts'

export interface EngineSights {
  /** With the control cluster; undefined when it is not watched. */
  readonly contact: Contact | undefined
  /** Undefined while the engine says nothing of it. */
  sightOf(cluster: Slug, id: Id): Promise<EngineSight | undefined>
  /** The folder as it is now was seen applied and in sync. */
  isSettled(id: Id): boolean
  /** Its manifests are others now. */
  unsettle(id: Id): void
  /** Version of the chart that an Application or HelmRelease has installed. */
  chart(engine: EngineName, unit: string): string | undefined
  close(): Promise<void>
}

export interface EngineSightsOptions {
  /** Of the control cluster; undefined: it is not watched. */
  readonly api: ClusterApi | undefined
  readonly writer: Pick<FleetWriter, 'fleet' | 'head'>
  readonly folders: FolderIds
  readonly clock: Clock
  /** The engine says something else of these. */
  readonly onWord: (ids: Iterable<Id>) => void
}

export function createEngineSights(options: EngineSightsOptions): EngineSights {
  const { api, writer, folders, clock, onWord } = options
  const settled = new Map<Id, ObjectId>()
  const world =
    api === undefined
      ? undefined
      : openEngineWorld({ api, clock, onWord: (engine, name) => onWord(idsOf(writer, engine, name)) })
  return {
    get contact() {
      return world?.contact
    },
    async sightOf(cluster, id) {
      const { head } = writer
      const engine = engineFor(writer.fleet.settings, writer.fleet.cluster(cluster))
      const unit = engineUnitOf(engine, cluster, id)
      const word = world?.word(engine, unit.name)
      if (word === undefined) return undefined
      const there = word.revision === undefined ? undefined : await folders.at(word.revision, unit.folder)
      const wanted = await folders.at(head, installationFolder(cluster, id))
      const current = there !== undefined && there === wanted
      if (!current) settled.delete(id)
      else if (word.sync === 'synced' && writer.head === head) settled.set(id, there)
      return { ...word, current }
    },
    isSettled: (id) => settled.has(id),
    unsettle: (id) => void settled.delete(id),
    chart: (engine, unit) => world?.chart(engine, unit),
    close: async () => void (await world?.close()),
  }
}

/** An Application stands for one installation, a Kustomization for all of a shard. */
function idsOf({ fleet }: Pick<FleetWriter, 'fleet'>, engine: EngineName, name: string): readonly Id[] {
  if (engine === 'argocd') {
    const id = name.slice(applicationNameOf('' as Id).length)
    return isId(id) ? [id] : []
  }
  const [, cluster = '', shard = ''] = /^(.+)-shard-(.)$/.exec(name) ?? []
  return fleet
    .installationsOn(cluster)
    .map(({ metadata }) => metadata.id)
    .filter((id) => id.startsWith(shard) && shardUnitNameOf(cluster, shard) === name)
}
