/**
 * A check on GitLab: a commit status, threads on the lines of the diff, and one note for what is on no such line.
 *
 * A commit status of somebody else than GitLab's own runners makes a pipeline of source `external` for the commit, or joins the
 * one that there is. With “Pipelines must succeed” GitLab does not merge before it succeeded. A merge request shows the
 * pipelines of the project that it comes from: one from a fork shows the threads and the note, not this status.
 */
import { createHash } from 'node:crypto'
import type { Annotation, CheckReport } from '../../ports/forge.ts'
import { type Fields, listOf } from '../answers.ts'
import { linesOfPatch } from '../diff-lines.ts'
import { listed, worded } from '../findings.ts'
import { markerOf, oneLine } from '../text.ts'
import { EVERY_PAGE, statusOf } from './client.ts'
import { isOwnNote, removeComment, writeComment } from './comments.ts'
import { mergeRequest } from './pull-requests.ts'
import type { GitLabProject } from './repository.ts'

const LONGEST_DESCRIPTION = 255
/** Each is a request, and everybody who watches hears of it; the others are in the note. */
const MOST_THREADS = 50
const READ = 'scope api, role Reporter'
const REPORT = 'scope api, role Developer'
const STATES = { pending: 'pending', success: 'success', failure: 'failed' } as const

export async function reportCheck(project: GitLabProject, check: CheckReport): Promise<void> {
  const found = await mergeRequest(project, check.number)
  // The lines first: once the status says failed, they are there.
  if (check.result !== 'pending' && found !== undefined) await showLines(project, check, found)
  await setStatus(project, check, found?.text('source_branch'))
}

async function setStatus(
  project: GitLabProject,
  { commit, name, result, title, url }: CheckReport,
  branch: string | undefined,
): Promise<void> {
  const { client, path } = project
  const state = STATES[result]
  const description = oneLine(title, LONGEST_DESCRIPTION)
  const present = await latestStatus(project, commit, name)
  const isSame =
    present?.text('status') === state &&
    present.optional.text('description') === description &&
    present.optional.text('target_url') === url
  if (isSame) return
  try {
    await client.call({ what: `to set the status of ${commit}`, right: REPORT }, ({ Commits }) =>
      Commits.editStatus(path, commit, state, {
        ...{ name, description },
        // A commit of a fork is on no branch of this project.
        ...(branch === undefined ? {} : { ref: branch }),
        ...(url === undefined ? {} : { targetUrl: url }),
      }),
    )
  } catch (error) {
    // It was that already: GitLab calls this a transition that cannot be.
    const isThere = error instanceof Error && error.message.includes('Cannot transition status')
    if (statusOf(error) !== 400 || !isThere || present?.text('status') !== state) throw error
  }
}

async function latestStatus(
  { client, path }: GitLabProject,
  commit: string,
  name: string,
): Promise<Fields | undefined> {
  const data = await client.call({ what: `for the statuses of ${commit}`, right: READ }, ({ Commits }) =>
    Commits.allStatuses(path, commit, { name, ...EVERY_PAGE }),
  )
  return listOf(data, 'statuses').reduce<Fields | undefined>((newest, status) => {
    if (status.text('name') !== name) return newest
    return newest !== undefined && newest.number('id') > status.number('id') ? newest : status
  }, undefined)
}

interface Thread {
  readonly annotation: Annotation
  readonly body: string
  readonly position: Readonly<Record<string, string | number>>
}

async function showLines(project: GitLabProject, check: CheckReport, found: Fields): Promise<void> {
  const { number, name, annotations } = check
  const marker = markerOf(name)
  // Nothing to say on lines: nothing to look up.
  const threads = annotations.length === 0 ? [] : await threadsFor(project, check, found, marker)
  const wanted = new Set(threads.map(({ body }) => body))
  const present = await ownThreads(project, number, marker)
  for (const thread of present) if (!wanted.has(thread.body)) await removeThread(project, number, thread)
  const bodies = new Set(present.map(({ body }) => body))
  for (const thread of threads) if (!bodies.has(thread.body)) await startThread(project, number, thread)
  const onLines = new Set(threads.map(({ annotation }) => annotation))
  const others = annotations.filter((annotation) => !onLines.has(annotation))
  const key = `${name} lines`
  if (others.length === 0) await removeComment(project, number, key)
  else await writeComment(project, number, key, others.map(listed).join('\n\n'))
}

async function threadsFor(
  project: GitLabProject,
  check: CheckReport,
  found: Fields,
  marker: string,
): Promise<readonly Thread[]> {
  const refs = found.optional.fields('diff_refs')
  // Its head has moved: this commit's lines are no longer those of the diff.
  if (refs === undefined || refs.text('head_sha') !== check.commit) return []
  const places = await placesInDiff(project, check.number)
  const shas = {
    position_type: 'text',
    base_sha: refs.text('base_sha'),
    start_sha: refs.text('start_sha'),
    head_sha: check.commit,
  }
  return check.annotations
    .flatMap((annotation) => {
      const place = places.get(annotation.path)?.(annotation.line)
      if (place === undefined) return []
      const digest = createHash('sha256')
        .update(JSON.stringify([check.commit, annotation]))
        .digest('hex')
      const body = `${marker}\n${markerOf(digest)}\n${worded(annotation)}`
      return [{ annotation, body, position: { ...shas, ...place } }]
    })
    .slice(0, MOST_THREADS)
}

type Place = Readonly<Record<string, string | number>>

/** By path: where a line of the new file is in the diff; an unchanged one needs its old number too. */
async function placesInDiff(
  { client, path }: GitLabProject,
  number: number,
): Promise<ReadonlyMap<string, (line: number) => Place | undefined>> {
  const data = await client.call(
    { what: `for the diff of merge request ${number}`, right: READ },
    ({ MergeRequests }) => MergeRequests.allDiffs(path, number, EVERY_PAGE),
  )
  return new Map(
    listOf(data, 'diffs').map((file) => {
      const names = { old_path: file.text('old_path'), new_path: file.text('new_path') }
      const { after } = linesOfPatch(file.optional.text('diff') ?? '')
      const place = (line: number): Place | undefined => {
        if (!after.has(line)) return undefined
        const before = after.get(line)
        return { ...names, new_line: line, ...(before === undefined ? {} : { old_line: before }) }
      }
      return [names.new_path, place]
    }),
  )
}

interface OwnThread {
  readonly discussion: string
  readonly note: number
  readonly body: string
}

async function ownThreads(
  project: GitLabProject,
  number: number,
  marker: string,
): Promise<readonly OwnThread[]> {
  const { client, path } = project
  const { login } = await project.self()
  const asked = { what: `for the threads of merge request ${number}`, right: READ }
  const data = await client.call(asked, ({ MergeRequestDiscussions }) =>
    MergeRequestDiscussions.all(path, number, EVERY_PAGE),
  )
  return listOf(data, 'threads').flatMap((thread) => {
    const [note] = thread.list('notes')
    if (note === undefined || !isOwnNote(note, login, `${marker}\n`)) return []
    return [{ discussion: thread.text('id'), note: note.number('id'), body: note.text('body') }]
  })
}

async function removeThread(
  { client, path }: GitLabProject,
  number: number,
  { discussion, note }: OwnThread,
): Promise<void> {
  const asked = { what: 'to remove a comment of an earlier check', right: REPORT }
  try {
    await client.call(asked, ({ MergeRequestDiscussions }) =>
      MergeRequestDiscussions.removeNote(path, number, discussion, note),
    )
  } catch (error) {
    if (statusOf(error) !== 404) throw error
  }
}

/** The client's own method takes positions apart at `&`, which a path may hold. */
async function startThread(
  { client, path }: GitLabProject,
  number: number,
  { body, position }: Thread,
): Promise<void> {
  const endpoint = `${encodeURIComponent(path)}/merge_requests/${number}/discussions`
  const asked = { what: `to comment on a line of merge request ${number}`, right: REPORT }
  await client.call(asked, ({ MergeRequestDiscussions: { requester } }) =>
    requester.post(endpoint, { body: { body, position } }),
  )
}
