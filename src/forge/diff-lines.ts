/** Which lines a unified diff shows. */

export interface DiffLines {
  /** Lines of the new file, each with its line in the old one; undefined: it was added. */
  readonly after: ReadonlyMap<number, number | undefined>
}

const HUNK = /^@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@/

/** @param patch hunks of one file, without the heads of the files */
export function linesOfPatch(patch: string): DiffLines {
  const after = new Map<number, number | undefined>()
  let before = 0
  let now = 0
  for (const line of patch.split('\n')) {
    const hunk = HUNK.exec(line)
    if (hunk !== null) {
      before = Number(hunk[1])
      now = Number(hunk[2])
    } else if (line.startsWith('+')) after.set(now++, undefined)
    else if (line.startsWith('-')) before += 1
    else if (line.startsWith(' ')) after.set(now++, before++)
  }
  return { after }
}
