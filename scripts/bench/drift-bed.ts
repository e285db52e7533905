/** A real API server full of rendered installations, and the drift detector beside it. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { documentsByKey, kindOf } from '../../src/fleet/drift/documents.ts'
import type { Id, ObjectId } from '../../src/fleet/ids.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'
import { isJsonObject } from '../../src/fleet/observed/json.ts'
import { parseManifests } from '../../src/fleet/yaml/bulk.ts'
import { createClusters } from '../../src/kube/clusters.ts'
import type { ClusterApi, Clusters } from '../../src/ports/clusters.ts'
import { type DriftDetector, startDriftDetector } from '../../src/reconcile/drift-detector.ts'
import { renderInstallation } from '../../src/render/installation/render-installation.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../src/system/template-files.ts'
import { generateFleet } from '../fleet-generator/generate.ts'
import { exampleSettings, type WriteOptions } from '../fleet-generator/main.ts'
import type { Cluster } from '../testbed/cluster.ts'
import { CUSTOM_RESOURCES_FOLDER } from '../testbed/custom-resources.ts'
import type { KubernetesObject } from '../testbed/kubernetes-api.ts'
import { startTestbed } from '../testbed/testbed.ts'

/** As Argo CD applies. */
export const ENGINE = 'argocd-controller'
export const CLUSTER = 'bench'
const WORKERS = 12

export interface DriftBed {
  readonly cluster: Cluster
  readonly api: ClusterApi
  /** Manifests as text, by installation. */
  readonly texts: ReadonlyMap<Id, string>
  /** Objects of which drift is found. */
  readonly objects: number
  /** A detector that knows nothing yet, reads manifests from their text, and takes the engine for settled. */
  detector(): DriftDetector
  close(): Promise<void>
}

/** Everything is applied as an engine does it. */
export async function openDriftBed(size: WriteOptions, progress: (line: string) => void): Promise<DriftBed> {
  const texts = await renderedTexts(size)
  const documents = [...texts.values()].flatMap((text) => parseManifests(text).filter(isJsonObject))
  const bed = await startTestbed({
    clusters: [{ name: CLUSTER, nodes: 0, customResources: customResourcesOf(documents) }],
  })
  try {
    const cluster = bed.cluster(CLUSTER)
    const started = performance.now()
    await applyAll(cluster, texts)
    progress(`applied ${documents.length} objects in ${((performance.now() - started) / 1000).toFixed(1)} s`)
    const clusters = connect(cluster)
    return {
      cluster,
      api: clusters.get(CLUSTER),
      texts,
      objects: [...texts.values()].reduce((sum, text) => sum + comparedOf(text), 0),
      detector: () => openDetector(clusters, texts),
      async close() {
        await clusters.close()
        await bed.stop()
      },
    }
  } catch (error) {
    await bed.stop()
    throw error
  }
}

async function renderedTexts(size: WriteOptions): Promise<ReadonlyMap<Id, string>> {
  const sets = await readTemplateSets(TEMPLATE_FOLDER)
  const fleet = generateFleet(await exampleSettings(), size)
  const texts = new Map<Id, string>()
  for (const installation of fleet.installations()) {
    const { text } = renderInstallation(sets, fleet, installation)
    if (text !== undefined) texts.set(installation.metadata.id, text)
  }
  return texts
}

function comparedOf(text: string): number {
  return documentsByKey(parseManifests(text).filter(isJsonObject)).size
}

/** Only those that are needed: each costs the API server memory. */
function customResourcesOf(documents: readonly JsonObject[]): readonly string[] {
  const needed = new Set<string>()
  for (const document of documents) {
    const kind = kindOf(document)
    if (kind !== undefined && existsSync(join(CUSTOM_RESOURCES_FOLDER, `${kind.group}_${kind.plural}.yaml`)))
      needed.add(`${kind.plural}.${kind.group}`)
  }
  return [...needed]
}

async function applyAll({ api }: Cluster, texts: ReadonlyMap<Id, string>): Promise<void> {
  const waiting = [...texts.values()]
  async function work(): Promise<void> {
    for (let text = waiting.pop(); text !== undefined; text = waiting.pop())
      // A rendered manifest has what every object has.
      for (const document of parseManifests(text).filter(isJsonObject))
        if (kindOf(document) !== undefined) await api.apply(document as unknown as KubernetesObject, ENGINE)
  }
  await Promise.all(Array.from({ length: WORKERS }, work))
}

function connect(cluster: Cluster): Clusters {
  return createClusters({
    credentials: {
      read: async () => ({
        source: 'kubeconfig',
        text: cluster.kubeconfigFor(cluster.token),
        version: '1',
      }),
      onChange: () => () => undefined,
      close: async () => undefined,
    },
    clock: systemClock,
    randomness: systemRandomness,
  })
}

function openDetector(clusters: Clusters, texts: ReadonlyMap<Id, string>): DriftDetector {
  return startDriftDetector({
    manifests: {
      async of(_cluster, id) {
        const text = texts.get(id) ?? ''
        return { version: id as unknown as ObjectId, documents: parseManifests(text).filter(isJsonObject) }
      },
      // They do not change here.
      versionOf: async (_cluster, id) => id as unknown as ObjectId,
    },
    api: (name) => clusters.get(name),
    engineOf: () => 'argocd',
    isSettled: () => true,
    secretNames: () => [],
    clock: systemClock,
    onError(error) {
      throw error
    },
  })
}
