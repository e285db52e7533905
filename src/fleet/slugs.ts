/** Names of files and folders made of what people call things. */
import type { Id } from './ids.ts'
import type { Slug } from './intents.ts'

/** The name as a slug when it is one and free, otherwise one made of the id. */
export function slugFor(
  name: string,
  kind: 'cluster' | 'group',
  id: Id,
  isTaken: (slug: Slug) => boolean,
): Slug {
  const slug = name
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 40)
    .replace(/-+$/, '')
  if (slug !== '' && !isTaken(slug)) return slug
  const short = `${kind}-${id.slice(0, 8)}`
  return isTaken(short) ? `${kind}-${id}` : short
}
