/** Markdown as GitHub, GitLab and Gitea read it: CommonMark with the extensions of GFM, HTML let through. */
import { micromark } from 'micromark'
import { gfm, gfmHtml } from 'micromark-extension-gfm'

export function htmlOf(markdown: string): string {
  return micromark(markdown, {
    allowDangerousHtml: true,
    extensions: [gfm()],
    htmlExtensions: [gfmHtml()],
  })
}

/** Tags in their order, code left out: what a text may decide is only what stands between them. */
export function structureOf(markdown: string): readonly string[] {
  return tagsOf(htmlOf(markdown))
}

export function tagsOf(shown: string): readonly string[] {
  return [...shown.matchAll(/<(\/?[a-z][a-z0-9]*)[^>]*>/gi)]
    .map(([, tag = '']) => tag.toLowerCase())
    .filter((tag) => tag !== 'code' && tag !== '/code')
}

/** All that is no code: where forges look for mentions, references, links and commands. */
export function textOutsideCode(markdown: string): string {
  return htmlOf(markdown)
    .replaceAll(/<code[^>]*>[\s\S]*?<\/code>/g, ' ')
    .replaceAll(/<[^>]*>/g, ' ')
    .replaceAll('&quot;', '"')
}

/** Text in which no forge finds a mention, a reference, a link or a command. */
export const OUTSIDE = /^[A-Za-z0-9\s()"'.,;:?→–…]*$/
