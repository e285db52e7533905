/** Keys of the secret backend that Fleetwright made itself, and where intents refer to them. */
import { type Id, isId } from './ids.ts'
import type { Intent } from './intents.ts'

/** Folders of keys that the API makes; keys elsewhere belong to whoever made them. */
export const SECRET_FOLDERS = ['installations/', 'groups/'] as const

const OWN_KEY = /^(installations|groups)\/([a-z0-9]{26})\/[a-z0-9-]+-[a-z0-9]{12}$/

export interface SecretOwner {
  readonly kind: 'installation' | 'group'
  readonly id: Id
}

/** What a key of ours was made for; undefined for a key of others. */
export function ownerOfSecret(key: string): SecretOwner | undefined {
  const [, folder, id = ''] = OWN_KEY.exec(key) ?? []
  if (folder === undefined || !isId(id)) return undefined
  return { kind: folder === 'groups' ? 'group' : 'installation', id }
}

/**
 * Keys of ours that an intent needs. A tombstone whose last rendered file is gone needs none any more, nor does one of
 * an installation that never ran.
 */
export function secretKeysIn(intent: Intent | undefined): ReadonlySet<string> {
  const found = new Set<string>()
  if (intent === undefined) return found
  if (intent.kind === 'Tombstone' && isOver(intent.spec)) return found
  walk(intent.spec, found)
  return found
}

function isOver({ removedAt, installation }: Extract<Intent, { kind: 'Tombstone' }>['spec']): boolean {
  return removedAt !== undefined || installation.spec.placement === undefined
}

function walk(value: unknown, found: Set<string>): void {
  if (typeof value === 'string') {
    if (OWN_KEY.test(value)) found.add(value)
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const entry of Object.values(value)) walk(entry, found)
}
