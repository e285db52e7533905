/** Findings of a check as texts, for forges whose checks have no annotations of their own. */
import { createHash } from 'node:crypto'
import type { Annotation, CheckReport } from '../ports/forge.ts'
import { verbatim } from './text.ts'

/** For a comment on its line. Words of others are shown as they are. */
export function worded({ level, title, message }: Pick<Annotation, 'level' | 'title' | 'message'>): string {
  return `**${level === 'failure' ? 'Problem' : 'Warning'}**\n\n${verbatim(`${title}\n${message}`)}`
}

/** For a text that has several. */
export function listed({ path, line, ...said }: Annotation): string {
  return `${verbatim(line > 0 ? `${path}:${line}` : path)}\n\n${worded(said)}`
}

/** The same findings on the same commit have the same. */
export function digestOf({ commit, title, annotations }: CheckReport): string {
  return createHash('sha256')
    .update(JSON.stringify([commit, title, annotations]))
    .digest('hex')
}
