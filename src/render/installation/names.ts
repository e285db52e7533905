/** Names of what one installation consists of. */
import type { Installation } from '../../fleet/intents.ts'

/** Each installation has a namespace of its own, named by its id. */
export function namespaceOf({ metadata }: Installation): string {
  return metadata.id
}

/** Name of the Mattermost resource; a Service is named after it, so it starts with a letter. */
export function appOf({ metadata }: Installation): string {
  return `mm-${metadata.id.slice(0, 4)}`
}

/** Name of a volume in the pods: names of the API may have underscores, those of Kubernetes may not. */
export function volumeName(name: string): string {
  if (/^[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(name)) return name
  return `${name.replaceAll('_', '-').slice(0, 54)}-${shortHash(name)}`
}

/** Eight hexadecimal digits that change with the text (FNV-1a): a new secret key makes a new name, which restarts pods. */
export function shortHash(text: string): string {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i += 1) {
    hash ^= text.charCodeAt(i)
    hash = Math.imul(hash, 0x01000193)
  }
  return (hash >>> 0).toString(16).padStart(8, '0')
}
