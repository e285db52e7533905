/** What will be there once changes that come together are in. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Cluster, Group, SharedDatabase, Slug } from '../intents.ts'
import { clusterPath, databasePath, groupPath } from '../paths.ts'

/** Deleted ones are not there. */
export interface Lookup {
  readonly cluster: (name: Slug) => Cluster | undefined
  readonly group: (name: Slug) => Group | undefined
  readonly database: (name: Slug) => SharedDatabase | undefined
}

export function lookupOf(fleet: Fleet, changes: readonly IntentChange[]): Lookup {
  const coming = new Map(changes.map(({ path, after }) => [path as string, after]))
  return {
    cluster(name) {
      const path = clusterPath(name)
      const after = coming.has(path) ? coming.get(path) : fleet.cluster(name)
      return after?.kind === 'Cluster' ? existing(after) : undefined
    },
    group(name) {
      const path = groupPath(name)
      const after = coming.has(path) ? coming.get(path) : fleet.group(name)
      return after?.kind === 'Group' ? existing(after) : undefined
    },
    database(name) {
      const path = databasePath(name)
      const after = coming.has(path) ? coming.get(path) : fleet.database(name)
      return after?.kind === 'SharedDatabase' ? existing(after) : undefined
    },
  }
}

function existing<Kind extends Cluster | Group | SharedDatabase>(intent: Kind): Kind | undefined {
  return intent.metadata.deletedAt === undefined ? intent : undefined
}
