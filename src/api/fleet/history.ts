/** History of the fleet, or of one object in it, for people. */
import { FleetError } from '../../fleet/errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import { type Id, isId } from '../../fleet/ids.ts'
import {
  clusterPath,
  controlPath,
  groupPath,
  infraFolder,
  installationFolder,
  requestPath,
  systemFolder,
  tombstonePath,
  unplacedTombstonePath,
} from '../../fleet/paths.ts'
import type { HistoryEntry } from '../../ports/writer.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { readBoolean, readInteger } from '../query.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { readCommit } from './commits.ts'

const KINDS = ['installation', 'cluster', 'group'] as const
type Kind = (typeof KINDS)[number]
const DEFAULT_LIMIT = 20
/** Each entry costs a diff. */
const MOST = 100

export function historyRoute(parts: Pick<Parts, 'writer' | 'history'>): Route {
  return {
    method: 'GET',
    path: '/api/fleet/history',
    operationId: 'getFleetHistory',
    role: 'reader',
    wire: false,
    summary: 'Commits of the fleet repository with actor and diff, newest first',
    query: {
      kind: { description: 'Only commits about one object of this kind', schema: { enum: [...KINDS] } },
      id: { description: 'Id of that object', schema: { type: 'string' } },
      limit: {
        description: 'Most entries',
        schema: { type: 'integer', minimum: 1, maximum: MOST, default: DEFAULT_LIMIT },
      },
      after: {
        description: 'Goes on after this commit (`next` of the answer before)',
        schema: { type: 'string' },
      },
      diff: { description: 'With the unified diff', schema: { type: 'boolean', default: true } },
    },
    responses: { 200: { description: 'Commits', schema: HISTORY_SCHEMA } },
    handler: (context) => answerHistory(parts, context),
  }
}

async function answerHistory(
  { writer, history }: Pick<Parts, 'writer' | 'history'>,
  { query }: HandlerContext,
): Promise<Answer> {
  const paths = readPaths(writer.fleet, query)
  const limit = readLimit(query)
  const given = query.get('after')
  const after = given === null ? undefined : readCommit(given, '/query/after')
  const entries = await history.log({
    limit,
    diff: readBoolean(query, 'diff', true),
    ...(paths ? { paths } : {}),
    ...(after ? { after } : {}),
  })
  const next = entries.length === limit ? entries.at(-1)?.commit : undefined
  return json(200, { commits: entries.map(toJson), ...(next ? { next } : {}) })
}

function toJson(entry: HistoryEntry): unknown {
  const { commit, at, subject, body, author, email, committer, trailers, diff } = entry
  return {
    commit,
    at,
    subject,
    body,
    actor: { name: author, email },
    committer,
    trailers,
    ...(diff === undefined ? {} : { diff }),
  }
}

function readPaths(fleet: Fleet, query: URLSearchParams): readonly string[] | undefined {
  const id = query.get('id')
  const kind = query.get('kind')
  if (kind === null && id === null) return undefined
  if (kind === null || id === null) throw invalid('kind', 'The parameters kind and id go together.')
  const paths = isId(id) ? pathsOf(fleet, readKind(kind), id) : undefined
  if (!paths) throw new FleetError('not-found', `There is no ${readKind(kind)} ${id}.`)
  return paths
}

/** @throws FleetError `invalid-request` */
function readKind(text: string): Kind {
  const kind = KINDS.find((candidate) => candidate === text)
  if (kind) return kind
  throw invalid('kind', `The parameter kind must be one of ${KINDS.join(', ')}.`)
}

function readLimit(query: URLSearchParams): number {
  const limit = readInteger(query, 'limit', DEFAULT_LIMIT)
  if (limit >= 1 && limit <= MOST) return limit
  throw invalid('limit', `The parameter limit must be 1 to ${MOST}.`)
}

function invalid(name: string, detail: string): FleetError {
  return new FleetError('invalid-request', detail, { errors: [{ pointer: `/query/${name}`, detail }] })
}

/** Where the files of an object are and were. */
function pathsOf(fleet: Fleet, kind: Kind, id: Id): readonly string[] | undefined {
  if (kind === 'installation') return installationPaths(fleet, id)
  if (kind === 'group') {
    const group = fleet.groupById(id)
    return group && [groupPath(group.metadata.name)]
  }
  const name = fleet.clusterById(id)?.metadata.name
  return name === undefined
    ? undefined
    : [
        clusterPath(name),
        systemFolder(name),
        infraFolder(name),
        controlPath('argocd', name),
        controlPath('flux', name),
      ]
}

function installationPaths(fleet: Fleet, id: Id): readonly string[] | undefined {
  const installation = fleet.installation(id) ?? fleet.tombstone(id)?.spec.installation
  if (!installation) return undefined
  const { placement, clusterInstallations = [] } = installation.spec
  const clusters = new Set([
    ...(placement ? [placement.cluster] : []),
    ...clusterInstallations.map(({ cluster }) => cluster),
  ])
  const placed = [...clusters].flatMap((cluster) => [
    installationFolder(cluster, id),
    tombstonePath(cluster, id),
  ])
  return [requestPath(id), unplacedTombstonePath(id), ...placed]
}

const HISTORY_SCHEMA = {
  type: 'object',
  required: ['commits'],
  properties: {
    commits: {
      type: 'array',
      items: {
        type: 'object',
        required: ['commit', 'at', 'subject', 'body', 'actor', 'committer', 'trailers'],
        properties: {
          commit: { type: 'string' },
          at: { type: 'string', format: 'date-time' },
          subject: { type: 'string' },
          body: { type: 'string' },
          actor: { type: 'object', properties: { name: { type: 'string' }, email: { type: 'string' } } },
          committer: { type: 'string' },
          trailers: { type: 'object', additionalProperties: { type: 'string' } },
          diff: { type: 'string', description: 'Unified diff against the first parent' },
        },
      },
    },
    next: { type: 'string', description: 'Value of `after` for the next page; absent on the last one' },
  },
} as const
