/** One comment of a key on a pull request, kept up to date in place. */
import { listOf } from '../answers.ts'
import { cutTo, markerOf } from '../text.ts'
import type { GitHubRepository } from './repository.ts'

const PAGE = 100
const LONGEST = 65_536
const READ = 'Pull requests: read'
const WRITE = 'Pull requests: write'

export async function writeComment(
  repository: GitHubRepository,
  number: number,
  key: string,
  markdown: string,
): Promise<void> {
  const { client, owner, repo } = repository
  const marker = `${markerOf(key)}\n`
  const body = marker + cutTo(markdown, LONGEST - marker.length)
  const before = await findComment(repository, number, marker)
  if (before?.body === body) return
  if (before === undefined) {
    await client.call({ what: `to comment on pull request ${number}`, right: WRITE }, ({ rest }) =>
      rest.issues.createComment({ owner, repo, issue_number: number, body }),
    )
    return
  }
  await client.call({ what: `to change a comment on pull request ${number}`, right: WRITE }, ({ rest }) =>
    rest.issues.updateComment({ owner, repo, comment_id: before.id, body }),
  )
}

/** Own ones only: whoever copies the marker gets nothing changed. */
async function findComment(
  { client, owner, repo, login }: GitHubRepository,
  number: number,
  marker: string,
): Promise<{ readonly id: number; readonly body: string } | undefined> {
  const self = await login()
  const pages = client.pages({ what: `for the comments of pull request ${number}`, right: READ }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.issues.listComments, {
      ...{ owner, repo, issue_number: number, per_page: PAGE },
    }),
  )
  for await (const page of pages)
    for (const comment of listOf(page, 'comments')) {
      const body = comment.optional.text('body') ?? ''
      const author = comment.optional.fields('user')?.text('login')
      // GitHub answers with the line ends that it was given.
      if (author === self && body.startsWith(marker)) return { id: comment.number('id'), body }
    }
  return undefined
}
