/** Webhooks and subscriptions: who is told of changes of state. Kept in the store, not in git. */
import { createHash } from 'node:crypto'
import { FleetError, type ErrorDetail } from '../../fleet/errors.ts'
import { type Id, idFromBytes } from '../../fleet/ids.ts'
import { isSecretHeaderName } from '../../fleet/secret-names.ts'
import type { Receiver, ReceiverHeader } from '../../ports/store.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { pageOf, PAGING_QUERY, readPaging } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { type Decoded, integer, list, object, text } from '../shapes.ts'
import { subscriptionView, webhookView } from '../views/receiver.ts'

type ReceiverParts = Pick<Parts, 'store' | 'secrets' | 'clock' | 'randomness'>
type Kind = Receiver['kind']

const EVENT_TYPE = 'resourceStateChange'
const NANOSECONDS = 1_000_000
const LONGEST_THRESHOLD = 72 * 60 * 60 * 1000
/** RFC 9110 token. */
const HEADER_NAME = /^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}$/
/** The sender writes these itself. */
const OWN_HEADERS = /^(?:host|content-length|content-type|connection|transfer-encoding|webhook-.+)$/i

const HEADER = object({
  key: text('Name of the header'),
  value: text('Its value; kept as a secret when the name says so'),
  value_from_env: text("Variable of the server's environment that has the value"),
})
const WEBHOOK = object({ OwnerID: text('Whose it is'), URL: text('http or https'), Headers: list(HEADER) })
const SUBSCRIPTION = object({
  Name: text(),
  OwnerID: text('Whose it is'),
  URL: text('http or https'),
  EventType: text(`${EVENT_TYPE}`),
  FailureThreshold: integer('Nanoseconds after which a delivery is given up, at most 72 hours; 0: 24 hours'),
  Headers: list(HEADER),
})

interface Asked {
  readonly ownerId: string
  readonly url: string
  readonly name?: string
  readonly eventType?: string
  readonly failureThreshold?: number
  readonly headers: readonly Decoded<typeof HEADER>[]
}

export function receiverRoutes(parts: ReceiverParts): readonly Route[] {
  return [
    ...routesOf(parts, 'webhook', '/api/webhook', 'Webhook', {
      request: WEBHOOK,
      ask: (context) => {
        const { OwnerID = '', URL: url = '', Headers = [] } = context.decode(WEBHOOK)
        return { ownerId: OwnerID, url, headers: Headers }
      },
    }),
    ...routesOf(parts, 'subscription', '/api/subscription', 'Subscription', {
      request: SUBSCRIPTION,
      ask: (context) => {
        const {
          Name = '',
          OwnerID = '',
          URL: url = '',
          EventType = '',
          FailureThreshold = 0,
          Headers = [],
        } = context.decode(SUBSCRIPTION)
        return {
          ownerId: OwnerID,
          url,
          name: Name,
          eventType: EventType,
          failureThreshold: FailureThreshold / NANOSECONDS,
          headers: Headers,
        }
      },
    }),
  ]
}

interface Creation {
  readonly request: NonNullable<Route['request']>
  readonly ask: (context: HandlerContext) => Asked
}

function routesOf(
  parts: ReceiverParts,
  kind: Kind,
  path: string,
  name: string,
  { request, ask }: Creation,
): readonly Route[] {
  const view = { type: 'object' } as const
  return [
    {
      method: 'GET',
      path: `${path}s`,
      operationId: `list${name}s`,
      summary: `List ${kind}s`,
      role: 'reader',
      wire: true,
      query: {
        ...PAGING_QUERY,
        owner: { description: 'Only those of this owner', schema: { type: 'string' } },
        ...(kind === 'subscription'
          ? { event_type: { description: 'Only those for this type of event', schema: { type: 'string' } } }
          : {}),
      },
      responses: { 200: { description: 'A page', schema: { type: 'array', items: view } } },
      handler: (context) => listReceivers(parts, kind, context),
    },
    {
      method: 'POST',
      path: `${path}s`,
      operationId: `create${name}`,
      summary: `Create a ${kind}`,
      role: 'writer',
      wire: true,
      dryRun: false,
      request,
      secretFields: ['Headers.*.value'],
      responses: { 202: { description: 'Created', schema: view } },
      handler: (context) => createReceiver(parts, kind, ask(context), context),
    },
    {
      method: 'GET',
      path: `${path}/{id}`,
      operationId: `get${name}`,
      summary: `Get a ${kind}`,
      role: 'reader',
      wire: true,
      responses: { 200: { description: 'As it is', schema: view } },
      handler: async (context) =>
        json(200, await viewOf(parts, await requireReceiver(parts, kind, context.id()))),
    },
    {
      method: 'DELETE',
      path: `${path}/{id}`,
      operationId: `delete${name}`,
      summary: `Delete a ${kind}`,
      role: 'writer',
      wire: true,
      dryRun: false,
      responses: { 200: { description: 'Deleted', schema: null } },
      handler: (context) => deleteReceiver(parts, kind, context.id()),
    },
  ]
}

async function listReceivers(parts: ReceiverParts, kind: Kind, { query }: HandlerContext): Promise<Answer> {
  const paging = readPaging(query)
  const owner = query.get('owner') ?? ''
  const eventType = query.get('event_type') ?? ''
  const found = (await parts.store.receivers(kind)).filter(
    (receiver) =>
      (paging.includeDeleted || receiver.deletedAt === undefined) &&
      (owner === '' || receiver.ownerId === owner) &&
      (kind === 'webhook' || eventType === '' || receiver.eventType === eventType),
  )
  // The original lists subscriptions newest first, webhooks oldest first.
  const ordered = kind === 'subscription' ? [...found].reverse() : found
  return json(200, await Promise.all(pageOf(ordered, paging).map((receiver) => viewOf(parts, receiver))))
}

async function createReceiver(
  parts: ReceiverParts,
  kind: Kind,
  asked: Asked,
  context: HandlerContext,
): Promise<Answer> {
  const { store, clock, secrets } = parts
  requireValid(kind, asked)
  const id = newReceiverId(parts, context)
  const earlier = await store.receiver(id)
  if (earlier !== undefined) return replayed(await viewOf(parts, earlier), sameReceiver(earlier, asked))
  if (kind === 'webhook') await requireFreeUrl(parts, asked.url)
  const headers = asked.headers.map((header, at) => storedHeader(id, header, at))
  for (const { secret } of headers) if (secret !== undefined) await secrets.put(secret.key, secret.value)
  const { ownerId, url, name, eventType, failureThreshold } = asked
  const receiver: Receiver = {
    id,
    kind,
    ownerId,
    url,
    ...(name === undefined ? {} : { name }),
    ...(eventType === undefined ? {} : { eventType }),
    ...(failureThreshold === undefined || failureThreshold === 0 ? {} : { failureThreshold }),
    headers: headers.map(({ header }) => header),
    createdAt: clock.now(),
  }
  await store.addReceiver(receiver)
  return json(202, await viewOf(parts, receiver))
}

/** An idempotency key names the receiver, so that a second request finds the first one's. */
function newReceiverId({ randomness }: ReceiverParts, { request }: HandlerContext): Id {
  const { idempotencyKey } = request
  if (idempotencyKey === undefined) return idFromBytes(randomness.bytes(26))
  return idFromBytes(createHash('sha256').update(`receiver ${idempotencyKey}`).digest())
}

function sameReceiver({ url, ownerId, headers }: Receiver, asked: Asked): boolean {
  return url === asked.url && ownerId === asked.ownerId && headers.length === asked.headers.length
}

/** @throws FleetError `idempotency-conflict` */
function replayed(view: object, same: boolean): Answer {
  if (!same)
    throw new FleetError(
      'idempotency-conflict',
      'The idempotency key was used for another request; take a new key for each.',
    )
  return { ...json(202, view), headers: { 'Idempotency-Replayed': 'true' } }
}

function storedHeader(
  id: Id,
  { key = '', value, value_from_env }: Decoded<typeof HEADER>,
  at: number,
): { readonly header: ReceiverHeader; readonly secret?: { readonly key: string; readonly value: string } } {
  if (value_from_env !== undefined && value_from_env !== '')
    return { header: { key, valueFromEnv: value_from_env } }
  if (value === undefined || !isSecretHeaderName(key)) return { header: { key, value: value ?? '' } }
  const secretKey = `receivers/${id}/${at}`
  return { header: { key, secretKey }, secret: { key: secretKey, value } }
}

async function deleteReceiver(parts: ReceiverParts, kind: Kind, id: Id): Promise<Answer> {
  const receiver = await requireReceiver(parts, kind, id)
  if (receiver.deletedAt !== undefined)
    throw new FleetError('invalid-state', `The ${kind} ${id} is deleted already.`)
  await parts.store.removeReceiver(id, parts.clock.now())
  for (const { secretKey } of receiver.headers)
    if (secretKey !== undefined) await parts.secrets.remove(secretKey)
  return empty(200)
}

async function requireReceiver({ store }: ReceiverParts, kind: Kind, id: Id): Promise<Receiver> {
  const receiver = await store.receiver(id)
  if (receiver?.kind === kind) return receiver
  throw new FleetError('not-found', `There is no ${kind} ${id}.`)
}

async function requireFreeUrl({ store }: ReceiverParts, url: string): Promise<void> {
  const taken = (await store.receivers('webhook')).some(
    (receiver) => receiver.deletedAt === undefined && receiver.url === url,
  )
  if (taken) throw new FleetError('name-taken', `There is a webhook for ${url} already.`)
}

async function viewOf({ store }: ReceiverParts, receiver: Receiver): Promise<object> {
  if (receiver.kind === 'webhook') return webhookView(receiver)
  return subscriptionView(receiver, (await store.lastAttempt(receiver.id)) ?? { status: '', at: 0 })
}

/** @throws FleetError `invalid-request` with everything that is wrong */
function requireValid(kind: Kind, { ownerId, url, eventType, failureThreshold = 0, headers }: Asked): void {
  const errors: ErrorDetail[] = []
  if (ownerId === '') errors.push({ pointer: '/OwnerID', detail: 'must not be empty' })
  if (!isHttpUrl(url))
    errors.push({ pointer: '/URL', detail: 'must be an http or https URL without a user name or password' })
  if (kind === 'subscription' && eventType !== EVENT_TYPE)
    errors.push({ pointer: '/EventType', detail: `must be ${EVENT_TYPE}` })
  if (failureThreshold < 0 || failureThreshold > LONGEST_THRESHOLD)
    errors.push({ pointer: '/FailureThreshold', detail: 'must be 0 to 72 hours, in nanoseconds' })
  errors.push(...headerErrors(headers))
  const [first] = errors
  if (first !== undefined)
    throw new FleetError('invalid-request', `${first.pointer} ${first.detail}.`, { errors })
}

function headerErrors(headers: Asked['headers']): readonly ErrorDetail[] {
  const seen = new Set<string>()
  return headers.flatMap(({ key = '', value, value_from_env: variable }, at) => {
    const pointer = `/Headers/${at}`
    const name = key.toLowerCase()
    const twice = seen.has(name)
    seen.add(name)
    if (!HEADER_NAME.test(key) || OWN_HEADERS.test(key))
      return [
        {
          pointer: `${pointer}/key`,
          detail: 'must be the name of a header that is not written by the server itself',
        },
      ]
    if (twice) return [{ pointer: `${pointer}/key`, detail: `${key} is there twice; name each header once` }]
    const given = [value, variable].filter((one) => one !== undefined && one !== '')
    if (given.length !== 1) return [{ pointer, detail: 'must have either value or value_from_env' }]
    return /^[\t\x20-\x7e]*$/.test(given[0] ?? '')
      ? []
      : [{ pointer: `${pointer}/value`, detail: 'must be printable ASCII on one line' }]
  })
}

function isHttpUrl(url: string): boolean {
  if (!URL.canParse(url)) return false
  const { protocol, username, password } = new URL(url)
  return /^https?:$/.test(protocol) && username === '' && password === ''
}
