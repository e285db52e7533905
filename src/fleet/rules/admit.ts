/** Documents that come together are taken in as far as the rules let them; what breaks one holds back only itself. */
import type { Problem } from '../files.ts'
import type { IntentChange } from '../fleet.ts'
import type { FleetIndex } from '../fleet-index.ts'
import type { Intent } from '../intents.ts'
import { violationProblems } from './check.ts'

/** Changes that only make sense together, and what is wrong with them. Problems have a pointer, no line. */
export interface Refused {
  readonly changes: readonly IntentChange[]
  readonly problems: readonly Problem[]
}

export interface Admission {
  readonly accepted: readonly IntentChange[]
  readonly refused: readonly Refused[]
}

/** One document may wait for another one that waits for a third. Longer chains are tried again with the next commit. */
const MOST_PASSES = 8

/** Applies to the index what is valid, in an order in which what refers to something comes after it. */
export function admit(
  index: FleetIndex,
  changes: readonly IntentChange[],
  /** Further changes that are one decision: those with the same key. */
  keyOf: (change: IntentChange) => string | undefined = () => undefined,
): Admission {
  const accepted: IntentChange[] = []
  let waiting = inOrder(changes, keyOf)
  let refused: readonly Refused[] = []
  for (let pass = 0; pass < MOST_PASSES; pass += 1) {
    const left: Refused[] = []
    for (const together of waiting) {
      const problems = violationProblems(index, together)
      if (problems.length > 0) {
        left.push({ changes: together, problems })
        continue
      }
      index.apply(together)
      accepted.push(...together)
    }
    const progress = left.length < waiting.length
    refused = left
    if (left.length === 0 || !progress) break
    waiting = left.map((group) => group.changes)
  }
  return { accepted, refused }
}

/** A move, a deletion with its tombstone, a request that was placed: one id, one decision. */
function inOrder(
  changes: readonly IntentChange[],
  keyOf: (change: IntentChange) => string | undefined,
): readonly (readonly IntentChange[])[] {
  const groups = new Map<string, IntentChange[]>()
  for (const change of changes) {
    const key = keyOf(change) ?? togetherKey(change)
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [change])
    else group.push(change)
  }
  return [...groups.values()].sort((a, b) => rank(a) - rank(b))
}

function togetherKey({ path, before, after }: IntentChange): string {
  const intent = after ?? before
  const id = intent === undefined ? undefined : installationIdOf(intent)
  return id ?? path
}

function installationIdOf(intent: Intent): string | undefined {
  if (intent.kind !== 'Installation' && intent.kind !== 'InstallationRequest' && intent.kind !== 'Tombstone')
    return undefined
  return intent.metadata.id
}

/** What others refer to comes first and goes last. */
const RANKS = {
  Fleet: 0,
  Cluster: 1,
  Group: 2,
  SharedDatabase: 3,
  Tombstone: 4,
  Installation: 5,
  InstallationRequest: 6,
} as const

function rank(together: readonly IntentChange[]): number {
  const ranks = together.map(({ before, after }) => {
    const intent = after ?? before
    if (intent === undefined) return 0
    return after === undefined && intent.kind !== 'Installation' && intent.kind !== 'InstallationRequest'
      ? 20 - RANKS[intent.kind]
      : RANKS[intent.kind]
  })
  return Math.max(...ranks)
}
