/** One comment of a key on a merge request, kept up to date in place. */
import { type Fields, listOf } from '../answers.ts'
import { cutTo, markerOf } from '../text.ts'
import { EVERY_PAGE } from './client.ts'
import type { GitLabProject } from './repository.ts'

const LONGEST = 1_000_000
const RIGHT = 'scope api, role Reporter'

export async function writeComment(
  project: GitLabProject,
  number: number,
  key: string,
  markdown: string,
): Promise<void> {
  const { client, path } = project
  const marker = `${markerOf(key)}\n`
  const body = marker + cutTo(markdown, LONGEST - marker.length)
  const before = await findNote(project, number, marker)
  if (before?.text('body') === body) return
  if (before === undefined) {
    const asked = { what: `to comment on merge request ${number}`, right: RIGHT }
    await client.call(asked, ({ MergeRequestNotes }) => MergeRequestNotes.create(path, number, body))
    return
  }
  const asked = { what: `to change a comment on merge request ${number}`, right: RIGHT }
  await client.call(asked, ({ MergeRequestNotes }) =>
    MergeRequestNotes.edit(path, number, before.number('id'), { body }),
  )
}

/** Nothing to do when there is none. */
export async function removeComment(project: GitLabProject, number: number, key: string): Promise<void> {
  const { client, path } = project
  const before = await findNote(project, number, `${markerOf(key)}\n`)
  if (before === undefined) return
  const asked = { what: `to remove a comment from merge request ${number}`, right: RIGHT }
  await client.call(asked, ({ MergeRequestNotes }) =>
    MergeRequestNotes.remove(path, number, before.number('id')),
  )
}

async function findNote(project: GitLabProject, number: number, marker: string): Promise<Fields | undefined> {
  const { client, path } = project
  const { login } = await project.self()
  const asked = { what: `for the comments of merge request ${number}`, right: RIGHT }
  const data = await client.call(asked, ({ MergeRequestNotes }) =>
    MergeRequestNotes.all(path, number, { sort: 'asc', orderBy: 'created_at', ...EVERY_PAGE }),
  )
  return listOf(data, 'comments').find((note) => isOwnNote(note, login, marker))
}

/** Own ones only: whoever copies the marker gets nothing changed. */
export function isOwnNote(note: Fields, login: string, marker: string): boolean {
  return (
    note.optional.boolean('system') !== true &&
    note.fields('author').text('username') === login &&
    note.text('body').startsWith(marker)
  )
}
