/** Which files a unified diff changes. */
import type { ChangedFile } from './plan.ts'

/** @param diff as git and the API write it: one `diff --git` line a file */
export function changedFiles(diff: string): readonly ChangedFile[] {
  return diff
    .split(/^diff --git /m)
    .slice(1)
    .map(fileOf)
}

function fileOf(section: string): ChangedFile {
  const [head = '', ...hunks] = section.split(/^@@/m)
  const lines = hunks.flatMap((hunk) => hunk.split('\n').slice(1))
  const isNew = /^(?:new file mode|--- \/dev\/null)/m.test(head)
  const isGone = /^(?:deleted file mode|\+\+\+ \/dev\/null)/m.test(head)
  return {
    path: /^"?a\/(.+?)"? "?b\//.exec(head)?.[1] ?? '',
    change: isNew ? 'added' : isGone ? 'removed' : 'changed',
    added: lines.filter((line) => line.startsWith('+')).length,
    removed: lines.filter((line) => line.startsWith('-')).length,
  }
}
