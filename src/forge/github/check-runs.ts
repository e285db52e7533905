/** A check as an App reports it: a check run with annotations on the lines. */
import { createHash } from 'node:crypto'
import type { Annotation, CheckReport } from '../../ports/forge.ts'
import { type Fields, fieldsOf } from '../answers.ts'
import { cutTo, oneLine } from '../text.ts'
import type { GitHubRepository } from './repository.ts'

/** Annotations of one request; every update adds its own to those that are there. */
const ANNOTATIONS_A_REQUEST = 50
/** More help nobody, and each 50 take a request. */
const MOST_ANNOTATIONS = 500
const LONGEST_SUMMARY = 65_535
const LONGEST_TITLE = 255
/** 64 KiB in UTF-8, of which a character takes four bytes at most. */
const LONGEST_MESSAGE = 16_000
const RIGHT = 'Checks: write'

/**
 * Annotations of a check run can only be added to: a report gets a check run of its own, of which GitHub shows the newest. It
 * is completed last, so that one that was cut off is not taken for the whole.
 */
export async function reportCheckRun(
  repository: GitHubRepository,
  appId: number,
  check: CheckReport,
): Promise<void> {
  const digest = digestOf(check)
  const latest = await latestRun(repository, appId, check)
  const isPending = check.result === 'pending'
  if (latest?.digest === digest && latest.isCompleted !== isPending) return
  const isReusable = latest !== undefined && !latest.isCompleted && latest.annotations === 0
  const id = isReusable ? latest.id : await createRun(repository, check, digest)
  if (isPending && !isReusable) return
  const parts = isPending ? [[]] : partsOf(check.annotations.slice(0, MOST_ANNOTATIONS))
  for (const [index, part] of parts.entries())
    await updateRun(repository, id, check, part, {
      external_id: digest,
      ...(index === parts.length - 1 && check.result !== 'pending'
        ? { status: 'completed', conclusion: check.result }
        : { status: 'in_progress' }),
    })
}

interface Run {
  readonly id: number
  readonly digest: string | undefined
  readonly isCompleted: boolean
  readonly annotations: number
}

async function latestRun(
  { client, owner, repo }: GitHubRepository,
  appId: number,
  { commit, name }: CheckReport,
): Promise<Run | undefined> {
  const data = await client.call({ what: `for the checks of ${commit}`, right: RIGHT }, ({ rest }) =>
    rest.checks.listForRef({
      ...{ owner, repo, ref: commit, check_name: name, filter: 'latest', app_id: appId },
    }),
  )
  const runs = fieldsOf(data, 'checks').list('check_runs').map(runOf)
  return runs.reduce<Run | undefined>(
    (newest, run) => (newest && newest.id > run.id ? newest : run),
    undefined,
  )
}

function runOf(answer: Fields): Run {
  return {
    id: answer.number('id'),
    digest: answer.optional.text('external_id'),
    isCompleted: answer.text('status') === 'completed',
    annotations: answer.fields('output').number('annotations_count'),
  }
}

async function createRun(
  { client, owner, repo }: GitHubRepository,
  check: CheckReport,
  digest: string,
): Promise<number> {
  const asked = { what: `to report the check of ${check.commit}`, right: RIGHT }
  const data = await client.call(asked, ({ rest }) =>
    rest.checks.create({
      ...{
        owner,
        repo,
        name: check.name,
        head_sha: check.commit,
        status: 'in_progress',
        external_id: digest,
      },
      ...(check.url === undefined ? {} : { details_url: check.url }),
      output: outputOf(check),
    }),
  )
  return fieldsOf(data, 'check run').number('id')
}

async function updateRun(
  { client, owner, repo }: GitHubRepository,
  id: number,
  check: CheckReport,
  annotations: readonly Annotation[],
  state: {
    readonly external_id: string
    readonly status: 'completed' | 'in_progress'
    readonly conclusion?: 'success' | 'failure'
  },
): Promise<void> {
  const asked = { what: `to report the check of ${check.commit}`, right: RIGHT }
  await client.call(asked, ({ rest }) =>
    rest.checks.update({
      ...{ owner, repo, check_run_id: id, ...state },
      ...(check.url === undefined ? {} : { details_url: check.url }),
      output: { ...outputOf(check), annotations: annotations.map(annotationOf) },
    }),
  )
}

function outputOf({ title, summary, annotations }: CheckReport): { title: string; summary: string } {
  const left = annotations.length - MOST_ANNOTATIONS
  const note = left > 0 ? `\n\n${left} more problems are not shown on their lines.` : ''
  return {
    title: oneLine(title, LONGEST_TITLE),
    summary: cutTo(summary, LONGEST_SUMMARY - note.length) + note,
  }
}

function annotationOf({ path, line, column, level, title, message }: Annotation) {
  const at = Math.max(1, line)
  return {
    ...{ path, start_line: at, end_line: at, annotation_level: level },
    ...(line > 0 && column > 0 ? { start_column: column, end_column: column } : {}),
    title: oneLine(title, LONGEST_TITLE),
    message: cutTo(message, LONGEST_MESSAGE),
  }
}

/** At least one part, so that there is a last one. */
function partsOf(annotations: readonly Annotation[]): readonly (readonly Annotation[])[] {
  const count = Math.max(1, Math.ceil(annotations.length / ANNOTATIONS_A_REQUEST))
  return Array.from({ length: count }, (_, part) =>
    annotations.slice(part * ANNOTATIONS_A_REQUEST, (part + 1) * ANNOTATIONS_A_REQUEST),
  )
}

function digestOf(check: CheckReport): string {
  return createHash('sha256').update(JSON.stringify(check)).digest('hex')
}
