/** What a transaction would do: files and a unified diff, nothing written. */
import type { FileChange } from '../../fleet/files.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { unifiedDiff } from '../../fleet/review/unified-diff.ts'
import { type CommitText, type RequestContext, type Transaction, transact } from '../../fleet/transaction.ts'
import type { Plan } from '../../ports/writer.ts'
import { blobId } from '../objects.ts'
import { intentTexts, prepare, type WindowBase } from './window.ts'

/** @throws FleetError the refusal */
export async function planTransaction(
  base: WindowBase & { readonly head: ObjectId },
  transaction: Transaction<unknown>,
  context: RequestContext,
): Promise<Plan<unknown>> {
  const outcome = transact(base.index, transaction, context)
  if (outcome.refused !== undefined) throw outcome.refused
  const prepared = prepare(base, { kind: 'transaction', transaction, context })
  if ('error' in prepared) throw prepared.error
  try {
    const files = [...(await intentTexts(base, prepared)), ...prepared.files]
    return await describePlan(files, prepared.text, prepared.value, base)
  } finally {
    base.index.apply(prepared.inverse)
  }
}

async function describePlan(
  files: readonly FileChange[],
  text: CommitText,
  value: unknown,
  { head, editor, reader }: WindowBase & { readonly head: ObjectId },
): Promise<Plan<unknown>> {
  const changed: Plan<unknown>['files'][number][] = []
  const patches: string[] = []
  for (const file of [...files].sort((a, b) => (a.path < b.path ? -1 : 1))) {
    const present = await editor.at(file.path)
    if (present === undefined && file.text === undefined) continue
    if (file.text !== undefined && present === blobId(file.text)) continue
    const old = present === undefined ? undefined : Buffer.from(await reader.blob(present)).toString('utf8')
    changed.push({
      path: file.path,
      change: old === undefined ? 'added' : file.text === undefined ? 'removed' : 'changed',
    })
    patches.push(unifiedDiff(file.path, old, file.text))
  }
  return { value, subject: text.subject, body: text.body, files: changed, diff: patches.join(''), base: head }
}
