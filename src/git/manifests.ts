/** Manifests at the head, parsed; the last ones that were read are kept, by content. */
import { FleetError } from '../fleet/errors.ts'
import type { Id, ObjectId } from '../fleet/ids.ts'
import type { JsonObject, Slug } from '../fleet/intents.ts'
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
  async function versionOf(cluster: Slug, installation: Id): Promise<ObjectId | undefined> {
    const path = manifestPath(cluster, installation)
    const folder = await folders.at(writer.head, path.slice(0, path.lastIndexOf('/')))
    if (folder === undefined) return undefined
    return (await objects.tree(folder)).find((entry) => entry.name === 'manifest.yaml')?.oid
  }
  return {
    versionOf,
    async of(cluster, installation) {
      const version = await versionOf(cluster, installation)
      if (version === undefined) return { version, documents: [] }
      const known = kept.get(version)
      if (known !== undefined) return { version, documents: known }
      const text = Buffer.from(await objects.blob(version)).toString('utf8')
      const documents = parsed(text, manifestPath(cluster, installation))
      for (const [oldest] of kept) {
        if (kept.size < MOST_KEPT) break
        kept.delete(oldest)
      }
      kept.set(version, documents)
      return { version, documents }
    },
  }
}

/** Only a person's edit that is held can be no YAML. What the parser says holds the text, which is not for logs. */
function parsed(text: string, path: string): readonly JsonObject[] {
  try {
    return parseManifests(text).filter(isJsonObject)
  } catch {
    throw new FleetError('invalid-document', `${path} is no YAML`, { path })
  }
}
