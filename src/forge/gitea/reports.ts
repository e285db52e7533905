/** A check on Gitea, which has no check runs: a commit status, and one review with comments on the lines. */
import { parsePatch } from 'diff'
import type { ObjectId } from '../../fleet/ids.ts'
import type { Annotation, CheckReport } from '../../ports/forge.ts'
import { type Fields, fieldsOf, listOf } from '../answers.ts'
import { digestOf, listed, worded } from '../findings.ts'
import { cutTo, markerOf, oneLine, verbatim } from '../text.ts'
import { statusOf } from './client.ts'
import { readPullRequest } from './pull-requests.ts'
import type { GiteaRepository } from './repository.ts'

/** Gitea has no limit; it is one line of a list. */
const LONGEST_DESCRIPTION = 255
const LONGEST_BODY = 65_536
/** Gitea looks up the history of each line; more help nobody. */
const MOST_COMMENTS = 50
/** A larger diff is not read for its lines. */
const LARGEST_DIFF = 2 * 1024 * 1024
const READ = 'read:repository'
const WRITE = 'write:repository'

export async function reportCheck(repository: GiteaRepository, check: CheckReport): Promise<void> {
  // The lines first: once the status says failure, they are there.
  if (check.result !== 'pending') await reviewLines(repository, check)
  await setStatus(repository, check)
}

/** The latest one is shown; the same again would only add to what the commit has. */
async function setStatus(repository: GiteaRepository, check: CheckReport): Promise<void> {
  const { client, path } = repository
  const { commit, result: state, url, name: context } = check
  const description = oneLine(check.title, LONGEST_DESCRIPTION)
  const present = await latestStatus(repository, commit, context)
  const isSame =
    present?.text('status') === state &&
    present.text('description') === description &&
    present.text('target_url') === (url ?? '') &&
    present.optional.fields('creator')?.text('login') === (await repository.login())
  if (isSame) return
  const asked = { what: `to set the status of ${commit}`, right: WRITE }
  const content = { state, context, description, target_url: url ?? '' }
  await client.call(asked, 'POST', `${path}/statuses/${commit}`, content)
}

async function latestStatus(
  { client, path }: GiteaRepository,
  commit: ObjectId,
  context: string,
): Promise<Fields | undefined> {
  // The list of all of them has no order that tells which of one second is the latest.
  const asked = { what: `for the statuses of ${commit}`, right: READ }
  for await (const page of client.pages(asked, `${path}/commits/${commit}/status`)) {
    const latest = fieldsOf(page, 'status').optional.list('statuses') ?? []
    const found = latest.find((status) => status.text('context') === context)
    if (found !== undefined) return found
  }
  return undefined
}

async function reviewLines(repository: GiteaRepository, check: CheckReport): Promise<void> {
  const marker = markerOf(check.name)
  const token = `${marker}\n${markerOf(digestOf(check))}\n`
  const own = await ownReviews(repository, check.number)
  // What a call that was cut off began would be sent along with the next review.
  const isToGo = ({ isPending, body }: Review): boolean => isPending || body.startsWith(marker)
  const present = own.find(({ isPending, body }) => !isPending && body.startsWith(token))
  for (const review of own.filter(({ isPending }) => isPending))
    await deleteReview(repository, check.number, review)
  if (present === undefined && check.annotations.length > 0) await createReview(repository, check, token)
  for (const review of own)
    if (review !== present && !review.isPending && isToGo(review))
      await deleteReview(repository, check.number, review)
}

interface Review {
  readonly id: number
  readonly body: string
  readonly isPending: boolean
}

async function ownReviews(
  { client, path, login }: GiteaRepository,
  number: number,
): Promise<readonly Review[]> {
  const self = await login()
  const found: Review[] = []
  const asked = { what: `for the reviews of pull request ${number}`, right: READ }
  for await (const page of client.pages(asked, `${path}/pulls/${number}/reviews`))
    for (const review of listOf(page, 'reviews'))
      if (review.optional.fields('user')?.text('login') === self)
        found.push({
          id: review.number('id'),
          body: review.text('body'),
          isPending: review.text('state') === 'PENDING',
        })
  return found
}

async function deleteReview(
  { client, path }: GiteaRepository,
  number: number,
  { id }: Review,
): Promise<void> {
  try {
    const asked = { what: 'to remove the review of an earlier check', right: WRITE }
    await client.call(asked, 'DELETE', `${path}/pulls/${number}/reviews/${id}`)
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}

async function createReview(repository: GiteaRepository, check: CheckReport, token: string): Promise<void> {
  const { client, path } = repository
  const lines = await linesInDiff(repository, check)
  const isInDiff = ({ path, line }: Annotation): boolean => lines.get(path)?.has(line) === true
  const onLines = check.annotations.filter(isInDiff).slice(0, MOST_COMMENTS)
  const shown = new Set(onLines)
  const others = check.annotations.filter((annotation) => !shown.has(annotation))
  const asked = { what: `to review pull request ${check.number}`, right: WRITE }
  await client.call(asked, 'POST', `${path}/pulls/${check.number}/reviews`, {
    event: 'COMMENT',
    commit_id: check.commit,
    body: cutTo(token + [verbatim(check.title), ...others.map(listed)].join('\n\n'), LONGEST_BODY),
    comments: onLines.map(({ path, line, ...said }) => ({
      path,
      new_position: line,
      body: cutTo(worded(said), LONGEST_BODY),
    })),
  })
}

type Lines = ReadonlyMap<string, ReadonlySet<number>>

/**
 * Lines of the new files that the diff shows. A comment on a line that the head does not have fails the whole review, so nothing is
 * known of a head that has moved.
 */
async function linesInDiff(repository: GiteaRepository, { number, commit }: CheckReport): Promise<Lines> {
  const { client, path } = repository
  const asked = { what: `for the diff of pull request ${number}`, right: READ }
  const diff = await client.text(asked, `${path}/pulls/${number}.diff`)
  const found = await readPullRequest(repository, number)
  return found?.head === commit && diff.length <= LARGEST_DIFF ? linesOfDiff(diff) : new Map()
}

function linesOfDiff(diff: string): Lines {
  const lines = new Map<string, Set<number>>()
  for (const { newFileName, hunks } of patchesOf(diff)) {
    if (newFileName?.startsWith('b/') !== true) continue
    const shown = new Set<number>()
    for (const hunk of hunks) {
      const count = hunk.lines.filter((line) => line.startsWith('+') || line.startsWith(' ')).length
      for (let line = 0; line < count; line += 1) shown.add(hunk.newStart + line)
    }
    lines.set(newFileName.slice('b/'.length), shown)
  }
  return lines
}

/** A diff that cannot be read puts everything into the text. */
function patchesOf(diff: string): ReturnType<typeof parsePatch> {
  try {
    return parsePatch(diff)
  } catch {
    return []
  }
}
