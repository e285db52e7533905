/** Deliveries that were given up: what, to whom, why; and once more. */
import { FleetError } from '../../fleet/errors.ts'
import { type Id, isId } from '../../fleet/ids.ts'
import type { Delivery, FleetStore } from '../../ports/store.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { object } from '../shapes.ts'

type DeadLetterParts = Pick<Parts, 'store' | 'clock'>

const NOTHING = object({}, 'Nothing yet: {}')
const MOST = 1_000
const USUAL = 100

export function deadLetterRoutes(parts: DeadLetterParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/fleet/dead-letters',
      operationId: 'listDeadLetters',
      role: 'reader',
      wire: false,
      summary: 'Deliveries to webhooks and subscriptions that were given up, oldest first',
      query: {
        receiver: { description: 'Only those to this receiver, by id', schema: { type: 'string' } },
        limit: {
          description: `How many at most; ${USUAL} unless told otherwise`,
          schema: { type: 'integer', minimum: 1, maximum: MOST },
        },
      },
      responses: { 200: { description: 'Dead letters', schema: LETTERS } },
      handler: (context) => list(parts, context),
    },
    {
      method: 'POST',
      path: '/api/fleet/receivers/{id}/replay',
      operationId: 'replayReceiver',
      role: 'writer',
      wire: false,
      // Nothing in the fleet repository changes.
      dryRun: false,
      summary: 'Delivers the dead letters of a webhook or subscription again',
      request: NOTHING,
      responses: { 200: { description: 'How many', schema: REPLAYED } },
      async handler(context) {
        context.decode(NOTHING)
        const id = context.id()
        const receiver = await requireReceiver(parts.store, id)
        if (receiver.deletedAt !== undefined)
          throw new FleetError(
            'invalid-state',
            `The ${receiver.kind} ${id} is deleted; it gets nothing any more.`,
          )
        return json(200, { replayed: await parts.store.replay(id, parts.clock.now()) })
      },
    },
  ]
}

async function list({ store }: DeadLetterParts, { query }: HandlerContext): Promise<Answer> {
  const id = query.get('receiver') ?? ''
  if (id !== '') await requireReceiver(store, id)
  const letters = await store.deadLetters(id === '' ? undefined : (id as Id), limitOf(query))
  return json(200, { deadLetters: letters.map(letterView), total: (await store.backlog()).dead })
}

/** @throws FleetError `not-found` */
async function requireReceiver(
  store: FleetStore,
  id: string,
): Promise<NonNullable<Awaited<ReturnType<FleetStore['receiver']>>>> {
  const receiver = isId(id) ? await store.receiver(id) : undefined
  if (receiver === undefined) throw new FleetError('not-found', `There is no webhook or subscription ${id}.`)
  return receiver
}

/** @throws FleetError `invalid-request` */
function limitOf(query: URLSearchParams): number {
  const text = query.get('limit') ?? String(USUAL)
  const limit = Number(text)
  if (/^\d+$/.test(text) && limit >= 1 && limit <= MOST) return limit
  const detail = `must be a whole number from 1 to ${MOST}`
  throw new FleetError('invalid-request', `limit ${detail}.`, { errors: [{ pointer: '/limit', detail }] })
}

function letterView({ event, receiver, attempts, nextAttemptAt, lastError }: Delivery): object {
  const { id, at, resourceType, resourceId, oldState, newState } = event
  return {
    receiver,
    event: { id, at: time(at), resourceType, resourceId, oldState, newState },
    attempts,
    givenUpAt: time(nextAttemptAt),
    error: lastError ?? null,
  }
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString()
}

const TEXT = { type: 'string' } as const
const TIME = { type: 'string', format: 'date-time' } as const

const LETTERS = {
  type: 'object',
  required: ['deadLetters', 'total'],
  properties: {
    deadLetters: {
      type: 'array',
      items: {
        type: 'object',
        required: ['receiver', 'event', 'attempts', 'givenUpAt', 'error'],
        properties: {
          receiver: { ...TEXT, description: 'Id of the webhook or subscription' },
          event: {
            type: 'object',
            required: ['id', 'at', 'resourceType', 'resourceId', 'oldState', 'newState'],
            properties: {
              ...{ id: TEXT, at: TIME, resourceType: TEXT, resourceId: TEXT },
              ...{ oldState: TEXT, newState: TEXT },
            },
          },
          attempts: { type: 'integer' },
          givenUpAt: TIME,
          error: { type: ['string', 'null'], description: 'Of the last attempt' },
        },
      },
    },
    total: { type: 'integer', description: 'Of all receivers' },
  },
} as const

const REPLAYED = {
  type: 'object',
  required: ['replayed'],
  properties: { replayed: { type: 'integer' } },
} as const
