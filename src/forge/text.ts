/** Texts for a forge: within its limits, and words of others shown as they are. */

/** Hidden in a comment, so that Fleetwright finds it again. */
export function markerOf(key: string): string {
  return `<!-- fleetwright:${key} -->`
}

/** One line without control characters, of bounded length. */
export function oneLine(text: string, limit: number): string {
  return cutTo(text.replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ').trim(), limit, '…')
}

/** @param limit in UTF-16 code units; the end is replaced by the note when the text is longer */
export function cutTo(text: string, limit: number, note = '\n\n… (the rest does not fit here)'): string {
  if (text.length <= limit) return text
  const end = limit - note.length
  const splitsPair = /[\uD800-\uDBFF]/.test(text.charAt(end - 1))
  return text.slice(0, splitsPair ? end - 1 : end) + note
}

/** Markdown that shows a text of others as it is: no links, no mentions, no images. */
export function verbatim(text: string): string {
  const runs = text.match(/`+/g) ?? []
  const fence = '`'.repeat(Math.max(3, 1 + Math.max(0, ...runs.map((run) => run.length))))
  return `${fence}text\n${text}\n${fence}`
}
