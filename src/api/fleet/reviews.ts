/** Changes that wait until somebody merges their pull requests. */
import { isId } from '../../fleet/ids.ts'
import type { ReviewState } from '../../ports/change-reviews.ts'
import type { Parts } from '../context.ts'
import { json, type Route } from '../routes.ts'

export function reviewsRoute({ changeReviews }: Pick<Parts, 'changeReviews'>): Route {
  return {
    method: 'GET',
    path: '/api/fleet/reviews',
    operationId: 'listFleetReviews',
    role: 'reader',
    wire: false,
    summary: 'Changes that were asked for and await a review, oldest first',
    responses: { 200: { description: 'Open reviews', schema: REVIEWS_SCHEMA } },
    handler: async () => json(200, { reviews: changeReviews.list().map(reviewView) }),
  }
}

export function reviewView({ review, pullRequest, expiresAt }: ReviewState): object {
  const { id, branch, subject, actor, requestId, kinds, at, isEdited, changes, trailers } = review
  return {
    id,
    state: 'awaiting review',
    subject,
    kinds,
    requestedBy: actor,
    requestId,
    pullRequest: pullRequest?.url ?? null,
    branch,
    edited: isEdited,
    since: new Date(at).toISOString(),
    expires: new Date(expiresAt).toISOString(),
    documents: changes.map(({ path }) => path),
    ...objectsOf(trailers),
  }
}

/** By id, as the commit names them. */
function objectsOf(trailers: ReviewState['review']['trailers']): Readonly<Record<string, string>> {
  const named = [
    ['installation', trailers.Installation],
    ['group', trailers.Group],
    ['cluster', trailers.Cluster],
  ] as const
  return Object.fromEntries(
    named.filter((entry): entry is [(typeof entry)[0], string] => entry[1] !== undefined && isId(entry[1])),
  )
}

export const REVIEW_SCHEMA = {
  type: 'object',
  required: [
    'id',
    'state',
    'subject',
    'kinds',
    'requestedBy',
    'pullRequest',
    'branch',
    'edited',
    'since',
    'expires',
    'documents',
  ],
  properties: {
    id: { type: 'string' },
    state: { const: 'awaiting review' },
    subject: { type: 'string' },
    kinds: {
      type: 'array',
      items: { enum: ['deletion', 'size-up', 'group-version', 'cluster-removal', 'more-than-installations'] },
    },
    requestedBy: { type: 'string' },
    requestId: { type: 'string' },
    pullRequest: { type: ['string', 'null'], description: 'Its URL; null: the forge has not made it yet' },
    branch: { type: 'string' },
    edited: { type: 'boolean', description: 'Somebody changed the branch: merging it will be taken back' },
    since: { type: 'string', format: 'date-time' },
    expires: { type: 'string', format: 'date-time' },
    documents: { type: 'array', items: { type: 'string' } },
    installation: { type: 'string' },
    group: { type: 'string' },
    cluster: { type: 'string' },
  },
} as const

const REVIEWS_SCHEMA = {
  type: 'object',
  required: ['reviews'],
  properties: { reviews: { type: 'array', items: REVIEW_SCHEMA } },
} as const
