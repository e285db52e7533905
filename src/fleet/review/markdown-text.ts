/**
 * Text of others inside Markdown: it stays text on GitHub, GitLab and Gitea alike. Forges look for mentions, references,
 * links and commands in whatever is no code, after entities were decoded, so escaping is not enough: all that is not a plain
 * word becomes code.
 */

/** Controls, what is not seen, what turns the direction of writing, halves of characters. */
const UNSEEN = /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/gu

/** What cannot be seen, written as `\u{202e}`. */
export function visible(text: string): string {
  return text.replaceAll(UNSEEN, (character) => `\\u{${(character.codePointAt(0) ?? 0).toString(16)}}`)
}

/** At most so many UTF-16 units; an ellipsis tells that there was more. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`
}

/** A code span, one line. A bar would end the cell of a table. */
export function code(text: string, most = 200): string {
  const shown = visible(shortened(text, most)).replaceAll('|', '\\u{7c}')
  if (shown.trim() === '') return shown === '' ? '`(empty)`' : '`(blank)`'
  const fence = '`'.repeat(longestRun(shown) + 1)
  const space = /^[` ]|[` ]$/.test(shown) ? ' ' : ''
  return `${fence}${space}${shown}${space}${fence}`
}

/** A sentence of one line: plain words as they are, everything else as code. Never begins a block. */
export function prose(text: string, most = 800): string {
  const parts: string[] = []
  let held: string[] = []
  const release = (): void => {
    if (held.length > 0) parts.push(code(held.join(' '), most))
    held = []
  }
  for (const token of shortened(text, most).split(/[ \t\r\n]+/)) {
    if (token === '') continue
    if (isPlain(token)) {
      release()
      parts.push(token)
      continue
    }
    const [, before = '', core = '', after = ''] = /^([("']*)(.*?)([)"',.;:]*)$/su.exec(token) ?? []
    if (core === '') {
      held.push(token)
      continue
    }
    if (before !== '') release()
    held.push(core)
    if (before === '' && after === '') continue
    const last = parts.length
    release()
    parts[last] = `${before}${parts[last] ?? ''}${after}`
  }
  release()
  return parts.join(' ')
}

const WORD = /^["'(]*(?:[A-Za-z]+(?:['-][A-Za-z]+)*|→|–)["'),.;:?]*$/
/** Not followed by what would make it the number of a list. */
const NUMBER = /^["'(]*[0-9]{1,6}["',;:?]*$/
/** Looks like a commit. */
const HEXADECIMAL = /[0-9a-f]{7}/i

function isPlain(token: string): boolean {
  return (WORD.test(token) && !HEXADECIMAL.test(token)) || NUMBER.test(token)
}

/** A block of code. Lines are cut to `columns` characters and `lines` lines, and it is said. */
export function fenced(
  language: 'diff' | 'text',
  text: string,
  { lines, columns }: { readonly lines: number; readonly columns: number },
): string {
  const all = text.replace(/\n$/, '').split('\n')
  // GitLab carries out lines that begin with a slash, and does not know every fence.
  const shown = all.slice(0, lines).map((line) => visibleLine(shortened(line, columns)).replace(/^\//, ' /'))
  const more = all.length > lines ? [`… ${all.length - lines} more lines`] : []
  const body = [...shown, ...more].join('\n')
  const fence = '`'.repeat(Math.max(3, longestRun(body) + 1))
  return `${fence}${language}\n${body}\n${fence}`
}

function visibleLine(line: string): string {
  return line.split('\t').map(visible).join('\t')
}

function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length))
}

/** Inside HTML, where Markdown is not read. */
export function html(text: string, most = 200): string {
  return visible(shortened(text, most)).replaceAll(
    /[^\p{L}\p{N} ./_-]/gu,
    (character) => `&#${character.codePointAt(0)};`,
  )
}

/** @param url of the configuration, with ids and names of paths appended */
export function link(words: string, url: string): string {
  return `[${words}](${new URL(url).href.replaceAll('(', '%28').replaceAll(')', '%29')})`
}
