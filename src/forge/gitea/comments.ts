/** One comment of a key on a pull request, kept up to date in place. */
import { listOf } from '../answers.ts'
import { cutTo, markerOf } from '../text.ts'
import type { GiteaRepository } from './repository.ts'

/** Gitea takes megabytes; nobody reads them. */
const LONGEST = 65_536

export async function writeComment(
  repository: GiteaRepository,
  number: number,
  key: string,
  markdown: string,
): Promise<void> {
  const { client, path } = repository
  const marker = `${markerOf(key)}\n`
  const body = marker + cutTo(markdown, LONGEST - marker.length)
  const before = await findComment(repository, number, marker)
  if (before?.body === body) return
  if (before === undefined) {
    const asked = { what: `to comment on pull request ${number}`, right: 'write:issue' }
    await client.call(asked, 'POST', `${path}/issues/${number}/comments`, { body })
    return
  }
  const asked = { what: `to change a comment on pull request ${number}`, right: 'write:issue' }
  await client.call(asked, 'PATCH', `${path}/issues/comments/${before.id}`, { body })
}

/** Own ones only: whoever copies the marker gets nothing changed. Gitea gives all comments at once. */
async function findComment(
  { client, path, login }: GiteaRepository,
  number: number,
  marker: string,
): Promise<{ readonly id: number; readonly body: string } | undefined> {
  const self = await login()
  const asked = { what: `for the comments of pull request ${number}`, right: 'read:issue' }
  const comments = await client.call(asked, 'GET', `${path}/issues/${number}/comments`)
  for (const comment of listOf(comments, 'comments')) {
    const body = comment.text('body')
    const author = comment.optional.fields('user')?.text('login')
    if (author === self && body.startsWith(marker)) return { id: comment.number('id'), body }
  }
  return undefined
}
