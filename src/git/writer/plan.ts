/** What a transaction would do: files and a unified diff, nothing written. */
import { createTwoFilesPatch } from 'diff'
import type { FileChange } from '../../fleet/files.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import type { CommitText } from '../../fleet/transaction.ts'
import type { Plan } from '../../ports/writer.ts'
import type { ObjectReader, TreeEditor } from '../contracts.ts'
import { blobId } from '../objects.ts'

export async function describePlan(
  files: readonly FileChange[],
  text: CommitText,
  value: unknown,
  base: ObjectId,
  editor: TreeEditor,
  reader: ObjectReader,
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
  return { value, subject: text.subject, body: text.body, files: changed, diff: patches.join(''), base }
}

/** As `git diff` writes it, without the line of object ids. */
export function unifiedDiff(path: string, before: string | undefined, after: string | undefined): string {
  const from = before === undefined ? '/dev/null' : `a/${path}`
  const to = after === undefined ? '/dev/null' : `b/${path}`
  const text = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, { context: 3 })
  return `diff --git a/${path} b/${path}\n${text.replace(/^=+\n/, '').replace(/\t$/gm, '')}`
}
