/** What a commit of a checkout would do to a base, decided by the code that decides on pull requests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createDocuments } from '../fleet/documents.ts'
import type { ObjectId, RefName } from '../fleet/ids.ts'
import type { ReviewPlan } from '../fleet/review/plan.ts'
import { openReviews } from '../git/review/reviews.ts'
import { createTreeEditor } from '../git/tree-editor.ts'
import { loadFleet } from '../git/writer/load.ts'
import type { StandingHead } from '../git/writer/types.ts'
import { createRenderChanges } from '../render/render.ts'
import type { ReviewAuthor } from '../ports/reviews.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../system/template-files.ts'
import type { CommandContext } from './command-context.ts'
import type { GitCheckout } from './git-checkout.ts'

export interface CheckedChange {
  readonly base: ObjectId
  readonly head: ObjectId
  readonly author: ReviewAuthor
}

/** @throws FleetError `invalid-document` when the base has no valid fleet.yaml */
export async function reviewCheckout(
  checkout: GitCheckout,
  { base, head, author }: CheckedChange,
  { clock, randomness }: Pick<CommandContext, 'clock' | 'randomness'>,
): Promise<ReviewPlan> {
  const standing = await standOn(base, checkout)
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-check-'))
  try {
    const reviews = await openReviews({
      // Nothing is written: main stands still.
      writer: { head: base, fleet: standing.index, atHead: (look) => look(standing) },
      home: { gitDirectory: checkout.gitDirectory, objects: checkout.reader, native: undefined },
      ...{ folder, clock, randomness, placement: 'now' },
    })
    try {
      // A commit is its own name where nothing has to be fetched.
      return await reviews.plan({ number: 0, head, headRef: head as string as RefName, author })
    } finally {
      await reviews.close()
    }
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

async function standOn(base: ObjectId, { reader }: GitCheckout): Promise<StandingHead> {
  const documents = createDocuments()
  const { tree } = await reader.commit(base)
  const { index, held, problems } = await loadFleet(tree, reader, documents)
  return {
    head: base,
    index,
    editor: createTreeEditor(reader, tree),
    documents,
    reader,
    render: createRenderChanges(await readTemplateSets(TEMPLATE_FOLDER)),
    held: new Map([...problems].filter(([, found]) => found.length > 0)),
    heldFiles: held,
  }
}
