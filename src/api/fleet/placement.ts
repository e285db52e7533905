/** Why an installation is where it is, or why it waits. */
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import type { Installation } from '../../fleet/intents.ts'
import { installationPath } from '../../fleet/paths.ts'
import { place } from '../../fleet/placement.ts'
import { waitingReason } from '../../fleet/state.ts'
import type { Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'

/** As the transaction that places writes it into the body of its commit. */
const REASON = /^Placement: (.+)$/m
/** Commits of one installation that are looked through, newest first. */
const COMMITS_LOOKED_AT = 500

const CANDIDATE_SCHEMA = {
  type: 'object',
  required: ['cluster', 'installations', 'limit'],
  properties: {
    cluster: { type: 'string' },
    refusal: { type: 'string', description: 'Why it does not fit; absent: it fits' },
    installations: { type: 'integer' },
    limit: { type: 'integer', description: 'Installations it takes until placement passes it by' },
  },
} as const

const PLACEMENT_SCHEMA = {
  type: 'object',
  required: ['id', 'outcome', 'reason'],
  properties: {
    id: { type: 'string' },
    outcome: { enum: ['placed', 'waiting'] },
    cluster: { type: 'string' },
    reason: { type: ['string', 'null'], description: 'null: the commit does not say' },
    commit: { type: 'string', description: 'Commit that placed it' },
    at: { type: 'string', format: 'date-time' },
    candidates: { type: 'array', description: 'What each cluster says now', items: CANDIDATE_SCHEMA },
  },
} as const

export function placementRoute(parts: Pick<Parts, 'writer' | 'history'>): Route {
  return {
    method: 'GET',
    path: '/api/fleet/placement',
    operationId: 'explainPlacement',
    role: 'reader',
    wire: false,
    summary: 'Why an installation is on its cluster, or why it waits and what each cluster says',
    query: { id: { description: 'Id of the installation', schema: { type: 'string' } } },
    responses: { 200: { description: 'The explanation', schema: PLACEMENT_SCHEMA } },
    async handler({ query }) {
      const id = query.get('id') ?? ''
      const installation = isId(id) ? parts.writer.fleet.installation(id) : undefined
      if (installation === undefined) throw new FleetError('not-found', `There is no installation ${id}.`)
      const { placement } = installation.spec
      return placement === undefined
        ? explainWaiting(parts, installation)
        : await explainPlaced(parts, installation, placement.cluster)
    },
  }
}

async function explainPlaced(
  { history }: Pick<Parts, 'history'>,
  { metadata: { id } }: Installation,
  cluster: string,
): Promise<Answer> {
  const paths = [installationPath(cluster, id)]
  const entries = await history.log({ paths, limit: COMMITS_LOOKED_AT })
  const found = entries.findLast(({ body }) => REASON.test(body))
  const reason = REASON.exec(found?.body ?? '')?.[1] ?? null
  const where = found === undefined ? {} : { commit: found.commit, at: found.at }
  return json(200, { id, outcome: 'placed', cluster, reason, ...where })
}

function explainWaiting({ writer: { fleet } }: Pick<Parts, 'writer'>, installation: Installation): Answer {
  const { id, createdAt } = installation.metadata
  const { reason, candidates } = place(fleet, installation, { logicalDatabaseId: id, now: createdAt })
  return json(200, { id, outcome: 'waiting', reason: waitingReason(fleet, id) ?? reason, candidates })
}
