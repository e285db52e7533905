/** Manifests at the head, parsed; the last ones that were read are kept, by content. */
import type { ObjectId } from '../fleet/ids.ts'
import type { JsonObject } from '../fleet/intents.ts'
import { isJsonObject } from '../fleet/observed/json.ts'
import { manifestPath } from '../fleet/paths.ts'
import { parseManifests } from '../fleet/yaml/bulk.ts'
import type { FolderIds } from '../ports/folders.ts'
import type { Manifests } from '../ports/manifests.ts'
import type { FleetWriter } from '../ports/writer.ts'
import type { ObjectReader } from './contracts.ts'

const MOST_KEPT = 1_000

export interface ManifestsOptions {
  readonly objects: Pick<ObjectReader, 'blob' | 'tree'>
  readonly folders: FolderIds
  readonly writer: Pick<FleetWriter, 'head'>
}

export function createManifests({ objects, folders, writer }: ManifestsOptions): Manifests {
  const kept = new Map<ObjectId, readonly JsonObject[]>()
  return {
    async of(cluster, installation) {
      const path = manifestPath(cluster, installation)
      const folder = await folders.at(writer.head, path.slice(0, path.lastIndexOf('/')))
      if (folder === undefined) return []
      const blob = (await objects.tree(folder)).find((entry) => entry.name === 'manifest.yaml')?.oid
      if (blob === undefined) return []
      const known = kept.get(blob)
      if (known !== undefined) return known
      const text = Buffer.from(await objects.blob(blob)).toString('utf8')
      const documents = parseManifests(text).filter(isJsonObject)
      for (const [oldest] of kept) {
        if (kept.size < MOST_KEPT) break
        kept.delete(oldest)
      }
      kept.set(blob, documents)
      return documents
    },
  }
}
