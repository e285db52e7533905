/** A check as a user reports it (check runs are for Apps): a commit status, and one review with comments on the lines. */
import type { Annotation, CheckReport } from '../../ports/forge.ts'
import { type Fields, listOf } from '../answers.ts'
import { linesOfPatch } from '../diff-lines.ts'
import { digestOf, listed, worded } from '../findings.ts'
import { cutTo, markerOf, oneLine, verbatim } from '../text.ts'
import { statusOf } from './client.ts'
import type { GitHubRepository } from './repository.ts'

const PAGE = 100
const LONGEST_DESCRIPTION = 140
const LONGEST_BODY = 65_536
const MOST_COMMENTS = 100
const STATUSES = 'Commit statuses: write'
const READ = 'Pull requests: read'
const WRITE = 'Pull requests: write'
const REPLACED = 'Replaced by a later check.'

export async function reportReview(repository: GitHubRepository, check: CheckReport): Promise<void> {
  // The lines first: once the status says failure, they are there.
  if (check.result !== 'pending') await reviewLines(repository, check)
  await setStatus(repository, check)
}

/** The newest one is shown; the same again would only add to the thousand that a commit may have. */
async function setStatus(repository: GitHubRepository, check: CheckReport): Promise<void> {
  const { client, owner, repo } = repository
  const { commit: sha, result: state, url, name: context } = check
  const description = oneLine(check.title, LONGEST_DESCRIPTION)
  const present = await latestStatus(repository, sha, context)
  const isSame =
    present?.text('state') === state &&
    present.optional.text('description') === description &&
    present.optional.text('target_url') === url
  if (isSame) return
  await client.call({ what: `to set the status of ${sha}`, right: STATUSES }, ({ rest }) =>
    rest.repos.createCommitStatus({
      ...{ owner, repo, sha, state, context, description },
      ...(url === undefined ? {} : { target_url: url }),
    }),
  )
}

async function latestStatus(
  { client, owner, repo }: GitHubRepository,
  ref: string,
  context: string,
): Promise<Fields | undefined> {
  // Newest first.
  const pages = client.pages({ what: `for the statuses of ${ref}`, right: STATUSES }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.repos.listCommitStatusesForRef, {
      ...{ owner, repo, ref, per_page: PAGE },
    }),
  )
  for await (const page of pages) {
    const found = listOf(page, 'statuses').find((status) => status.text('context') === context)
    if (found !== undefined) return found
  }
  return undefined
}

async function reviewLines(repository: GitHubRepository, check: CheckReport): Promise<void> {
  const marker = markerOf(check.name)
  const token = `${marker}\n${markerOf(digestOf(check))}\n`
  const reviews = await ownReviews(repository, check.number, marker)
  const present = reviews.find(({ body }) => body.startsWith(token))
  if (present !== undefined || (reviews.length === 0 && check.annotations.length === 0)) return
  await removeComments(repository, check.number, marker)
  for (const review of reviews)
    await replaceReview(repository, check.number, review, `${marker}\n${REPLACED}`)
  if (check.annotations.length > 0) await createReview(repository, check, marker, token)
}

interface Review {
  readonly id: number
  readonly body: string
}

async function ownReviews(
  { client, owner, repo, login }: GitHubRepository,
  number: number,
  marker: string,
): Promise<readonly Review[]> {
  const self = await login()
  const found: Review[] = []
  const pages = client.pages({ what: `for the reviews of pull request ${number}`, right: READ }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.pulls.listReviews, {
      ...{ owner, repo, pull_number: number, per_page: PAGE },
    }),
  )
  for await (const page of pages)
    for (const review of listOf(page, 'reviews'))
      if (isOwn(review, self, marker)) found.push({ id: review.number('id'), body: review.text('body') })
  return found.filter(({ body }) => body !== `${marker}\n${REPLACED}`)
}

function isOwn(answer: Fields, self: string, marker: string): boolean {
  const author = answer.optional.fields('user')?.text('login')
  return author === self && (answer.optional.text('body') ?? '').startsWith(marker)
}

async function removeComments(
  { client, owner, repo, login }: GitHubRepository,
  number: number,
  marker: string,
): Promise<void> {
  const self = await login()
  const ids: number[] = []
  const pages = client.pages({ what: `for the comments of pull request ${number}`, right: READ }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.pulls.listReviewComments, {
      ...{ owner, repo, pull_number: number, per_page: PAGE },
    }),
  )
  for await (const page of pages)
    for (const comment of listOf(page, 'review comments'))
      if (isOwn(comment, self, marker)) ids.push(comment.number('id'))
  for (const id of ids)
    try {
      await client.call({ what: 'to remove a comment of an earlier check', right: WRITE }, ({ rest }) =>
        rest.pulls.deleteReviewComment({ owner, repo, comment_id: id }),
      )
    } catch (error) {
      if (statusOf(error) !== 404) throw error
    }
}

/** GitHub keeps reviews that were submitted; their text may change. */
async function replaceReview(
  { client, owner, repo }: GitHubRepository,
  number: number,
  { id }: Review,
  body: string,
): Promise<void> {
  await client.call({ what: 'to change the review of an earlier check', right: WRITE }, ({ rest }) =>
    rest.pulls.updateReview({ owner, repo, pull_number: number, review_id: id, body }),
  )
}

async function createReview(
  repository: GitHubRepository,
  check: CheckReport,
  marker: string,
  token: string,
): Promise<void> {
  const { client, owner, repo } = repository
  const lines = await linesInDiff(repository, check.number)
  const isInDiff = ({ path, line }: Annotation): boolean => lines.get(path)?.has(line) === true
  const onLines = check.annotations.filter(isInDiff).slice(0, MOST_COMMENTS)
  const others = check.annotations.filter((annotation) => !onLines.includes(annotation))
  await client.call({ what: `to review pull request ${check.number}`, right: WRITE }, ({ rest }) =>
    rest.pulls.createReview({
      ...{ owner, repo, pull_number: check.number, commit_id: check.commit, event: 'COMMENT' },
      body: cutTo(token + [verbatim(check.title), ...others.map(listed)].join('\n\n'), LONGEST_BODY),
      comments: onLines.map(({ path, line, ...said }) => ({
        ...{ path, line, side: 'RIGHT' },
        body: cutTo(`${marker}\n${worded(said)}`, LONGEST_BODY),
      })),
    }),
  )
}

/** GitHub refuses a whole review for one comment on a line that its diff does not show. */
async function linesInDiff(
  { client, owner, repo }: GitHubRepository,
  number: number,
): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const lines = new Map<string, ReadonlySet<number>>()
  const pages = client.pages({ what: `for the files of pull request ${number}`, right: READ }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.pulls.listFiles, {
      ...{ owner, repo, pull_number: number, per_page: PAGE },
    }),
  )
  for await (const page of pages)
    for (const file of listOf(page, 'files')) {
      const { after } = linesOfPatch(file.optional.text('patch') ?? '')
      lines.set(file.text('filename'), new Set(after.keys()))
    }
  return lines
}
