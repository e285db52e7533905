/** Files of a fleet repository, and manifests put on an API server. */
import { parseAllDocuments } from 'yaml'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { git } from '../../src/git/child-process.ts'

export async function readFleetFile(directory: string, branch: string, path: string): Promise<string> {
  return (await git(['show', `refs/heads/${branch}:${path}`], { directory })).toString('utf8')
}

/** Every document, in order, as an engine or a person applies it. */
export async function applyAll(api: KubernetesApi, text: string): Promise<void> {
  for (const document of parseAllDocuments(text)) {
    const object: KubernetesObject = document.toJS()
    await api.apply(object, 'person')
  }
}
