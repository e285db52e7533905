/** What lives and is not what git says, and engines that do not get there. */
import { engineDrift } from '../../fleet/drift/engine.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import { isId } from '../../fleet/ids.ts'
import type { Installation } from '../../fleet/intents.ts'
import type { Drift } from '../../ports/drifts.ts'
import type { Sights } from '../../ports/sights.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'

type DriftParts = Pick<Parts, 'writer' | 'drifts' | 'sights' | 'clock'>

export function driftRoute(parts: DriftParts): Route {
  return {
    method: 'GET',
    path: '/api/fleet/drift',
    operationId: 'listFleetDrift',
    role: 'reader',
    wire: false,
    summary: 'Where clusters differ from git: by field, with who wrote it and since when',
    query: {
      cluster: { description: 'Only this cluster', schema: { type: 'string' } },
      installation: { description: 'Only this installation, by id', schema: { type: 'string' } },
    },
    responses: { 200: { description: 'Confirmed drift', schema: DRIFT_SCHEMA } },
    handler: async (context) => answerDrift(parts, context),
  }
}

function answerDrift({ writer, drifts, sights, clock }: DriftParts, { query }: HandlerContext): Answer {
  const { fleet } = writer
  const cluster = query.get('cluster')
  const id = query.get('installation')
  if (cluster !== null && fleet.cluster(cluster) === undefined)
    throw new FleetError('not-found', `There is no cluster ${cluster}.`)
  const wanted = (of: { readonly cluster?: string; readonly installation: string }): boolean =>
    (cluster === null || of.cluster === cluster) && (id === null || of.installation === id)
  const found = [
    ...drifts.all().map(driftView),
    ...engineEntries(fleet, sights, clock.now()),
    ...writer
      .problems()
      .filter(({ code }) => code === 'edited-manifest')
      .map(editedView),
  ]
    .filter((entry) => wanted(entry))
    .map((entry) => ({ ...entry, name: nameOf(fleet, entry.installation) }))
  return json(200, { drift: found })
}

/** Null: git has it no more. */
function nameOf(fleet: Fleet, installation: string): string | null {
  return isId(installation) ? (fleet.installation(installation)?.metadata.name ?? null) : null
}

interface DriftEntry {
  readonly type: string
  readonly cluster?: string
  readonly installation: string
}

export function driftView({
  cluster,
  installation,
  type,
  object,
  fields,
  since,
  confirmedBy,
  healing,
}: Drift): DriftEntry {
  return {
    type,
    cluster,
    installation,
    ...{ object, fields, since: new Date(since).toISOString(), confirmedBy },
    ...(healing === undefined
      ? {}
      : {
          healing: {
            times: healing.times,
            lastAt: new Date(healing.lastAt).toISOString(),
            gaveUp: healing.gaveUp,
          },
        }),
  }
}

/** Engines are heard by unit: only what is not in sync costs an entry. */
function engineEntries(fleet: Fleet, sights: Sights, now: number): readonly DriftEntry[] {
  return fleet.installations().flatMap((installation) => engineEntry(installation, sights, now))
}

function engineEntry({ metadata, spec }: Installation, sights: Sights, now: number): readonly DriftEntry[] {
  const cluster = spec.placement?.cluster
  const engine = sights.installation(metadata.id)?.sight?.engine
  if (cluster === undefined || engine === undefined) return []
  const type = engineDrift(engine, spec.operation.requestedAt, now)
  if (type === undefined) return []
  const { name, revision = null, message = null } = engine
  return [
    {
      type,
      cluster,
      installation: metadata.id,
      ...{ unit: name, revision, message, since: new Date(engine.observedAt).toISOString() },
    },
  ]
}

/** A rendered file that a person edited in git. */
function editedView({
  path,
  detail,
  author,
  commit,
}: ReturnType<DriftParts['writer']['problems']>[number]): DriftEntry {
  const [, cluster, , , installation = ''] = path.split('/')
  return {
    type: 'edited-manifest',
    installation,
    ...(cluster === undefined ? {} : { cluster }),
    ...{ path, detail, author, commit },
  }
}

const DRIFT_SCHEMA = {
  type: 'object',
  required: ['drift'],
  properties: {
    drift: {
      type: 'array',
      items: {
        type: 'object',
        required: ['type', 'installation'],
        properties: {
          type: {
            enum: ['changed', 'missing', 'extra', 'engine-out-of-sync', 'engine-stuck', 'edited-manifest'],
          },
          cluster: { type: 'string' },
          installation: { type: 'string' },
          name: { type: ['string', 'null'], description: 'Of the installation' },
          object: { type: 'object' },
          fields: {
            type: 'array',
            items: {
              type: 'object',
              required: ['path'],
              properties: {
                path: { type: 'string' },
                wanted: { description: 'Absent: should not be there; secrets are masked' },
                found: { description: 'Absent: is not there; secrets are masked' },
                manager: { type: 'object', description: 'Who wrote it last, by managedFields' },
              },
            },
          },
          since: { type: 'string', format: 'date-time' },
          confirmedBy: { enum: ['dry-run', 'second-look'] },
          healing: {
            type: 'object',
            description: 'The engine was asked to apply git again; absent: it was not',
            required: ['times', 'lastAt', 'gaveUp'],
            properties: {
              times: { type: 'integer' },
              lastAt: { type: 'string', format: 'date-time' },
              gaveUp: { type: 'boolean', description: 'It is asked no more: somebody has to look' },
            },
          },
        },
      },
    },
  },
} as const
