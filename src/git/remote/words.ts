/** Words of a server, made fit for errors, logs and terminals. */

const LONGEST = 500

/** One line without control characters, of bounded length. */
export function plain(text: string): string {
  const line = text
    .replace(/\p{Cc}\[[0-9;]*[A-Za-z]/gu, '')
    .replace(/[\p{Cc}\p{Cf}\u2028\u2029]+/gu, ' ')
    .replace(/ {2,}/g, ' ')
    .trim()
  return line.length <= LONGEST ? line : `${line.slice(0, LONGEST)}…`
}
