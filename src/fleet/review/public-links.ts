/** Links from comments to Fleetwright itself. */
import { isId } from '../ids.ts'
import { link } from './markdown-text.ts'

export interface CommentOptions {
  /** Where people reach Fleetwright's API; without it nothing is linked. */
  readonly publicUrl?: string
}

/** @param words Markdown; returned as they are when there is nothing to link to */
export function statusLink(words: string, id: string, { publicUrl }: CommentOptions): string {
  if (publicUrl === undefined || !isId(id)) return words
  return link(words, `${publicUrl.replace(/\/+$/, '')}/api/fleet/installations/${id}/status`)
}
