/** What would follow from changed files of a checkout: decided as the server decides on a pull request. */
import type { Documents } from '../fleet/documents.ts'
import type { Problem } from '../fleet/files.ts'
import type { ObjectId } from '../fleet/ids.ts'
import type { ObjectDifference } from '../fleet/review/plan.ts'
import type { CommitText } from '../fleet/transaction.ts'
import type { ObjectReader } from '../git/contracts.ts'
import { describeFiles } from '../git/review/describe-files.ts'
import { planChanges } from '../git/review/plan-changes.ts'
import { createTreeEditor } from '../git/tree-editor.ts'
import { loadFleet } from '../git/writer/load.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { RenderChanges } from '../ports/writer.ts'
import type { Changes } from './git-checkout.ts'

export interface PlanInput {
  readonly base: ObjectId
  readonly changes: Changes
  readonly reader: ObjectReader
  readonly documents: Documents
  readonly render: RenderChanges
  readonly clock: Clock
  readonly randomness: Randomness
}

export interface ChangePlan {
  readonly problems: readonly Problem[]
  /** What the server would do with new requests: where they go, and why. Ids are made up. */
  readonly placements: readonly CommitText[]
  /** Against the base: the changes themselves, and what the server would commit after them. */
  readonly differences: readonly ObjectDifference[]
}

/** @throws FleetError `invalid-document` when the base has no valid fleet.yaml */
export async function planCheckout(input: PlanInput): Promise<ChangePlan> {
  const { base, changes, reader, documents, render, clock, randomness } = input
  const { tree } = await reader.commit(base)
  const { index, held, problems: broken } = await loadFleet(tree, reader, documents)
  const editor = createTreeEditor(reader, tree)
  const { files } = changes
  const plan = await planChanges(
    { head: base, index, editor, documents, reader, render, held: present(broken) },
    { files, contents: await contentsOf(changes) },
    { clock, randomness, placement: 'now', held, author: undefined },
  )
  const { objects } = await describeFiles(plan.files, plan.names, reader)
  return { problems: plan.problems, placements: plan.placements, differences: objects }
}

function present(problems: ReadonlyMap<string, readonly Problem[]>): ReadonlyMap<string, readonly Problem[]> {
  return new Map([...problems].filter(([, found]) => found.length > 0))
}

async function contentsOf({ files, text }: Changes): Promise<ReadonlyMap<ObjectId, Uint8Array>> {
  const oids = new Set(files.flatMap(({ to }) => to ?? []))
  const entries = [...oids].map(async (oid) => [oid, Buffer.from(await text(oid))] as const)
  return new Map(await Promise.all(entries))
}
