/** Connections to clusters, and who watches them. */
import { join } from 'node:path'
import type { Configuration } from '../configuration/settings.ts'
import { DEADLINES } from '../fleet/observed/judge.ts'
import type { ObjectReader } from '../git/contracts.ts'
import { createFolderIds } from '../git/folder-ids.ts'
import { createClusters } from '../kube/clusters.ts'
import { openCredentialsFolder } from '../kube/credentials-folder.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Observations } from '../ports/observations.ts'
import type { Sights } from '../ports/sights.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { startObserver } from '../reconcile/observer.ts'

export interface ComposeObserverOptions {
  readonly configuration: Configuration
  readonly writer: FleetWriter
  readonly objects: ObjectReader
  readonly observations: Observations
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onError: (error: unknown) => void
}

export interface RunningObserver {
  readonly sights: Sights
  close(): Promise<void>
}

export async function composeObserver(options: ComposeObserverOptions): Promise<RunningObserver> {
  const { configuration, writer, objects, observations, clock, randomness, onError } = options
  const credentials = await openCredentialsFolder({
    folder: configuration.credentials ?? join(configuration.data, 'credentials'),
    fileOf: (name) => writer.fleet.cluster(name)?.spec.credentialsSecret,
    clusters: () => writer.fleet.clusters().map(({ metadata }) => metadata.name),
  })
  const clusters = createClusters({ credentials, clock, randomness })
  const observer = startObserver({
    writer,
    clusters,
    folders: createFolderIds(objects),
    observations,
    clock,
    deadlines: DEADLINES,
    control: true,
    completed: new Map(),
    onError,
  })
  return {
    sights: observer,
    async close() {
      await observer.close()
      await clusters.close()
      await credentials.close()
    },
  }
}
