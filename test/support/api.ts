/** A client of the API for tests: requests in, status and body out. */
import type { Id } from '../../src/fleet/ids.ts'
import { type TestServer, TOKEN } from './server.ts'

export interface Reply {
  readonly status: number
  readonly headers: Headers
  /** The body as text. */
  readonly text: string
  /** The body as JSON; undefined when it is none. */
  // biome-ignore lint/suspicious/noExplicitAny: tests look into answers of every kind
  readonly body: any
}

export interface Sending {
  /** Undefined: the admin's. null: none. */
  readonly token?: string | null
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: unknown
}

/** Sends `method path` and reads the whole answer. */
export async function send(url: string, method: string, path: string, sending: Sending = {}): Promise<Reply> {
  const { token = TOKEN, body } = sending
  const response = await fetch(url + path, {
    method,
    headers: {
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      ...(body === undefined ? {} : { 'content-type': 'application/json' }),
      ...sending.headers,
    },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  const isJson = /json/.test(response.headers.get('content-type') ?? '')
  return {
    status: response.status,
    headers: response.headers,
    text,
    body: isJson ? JSON.parse(text) : undefined,
  }
}

/** Imports a cluster. */
export async function importCluster(url: string, name = 'prod-1'): Promise<Id> {
  const reply = await send(url, 'POST', '/api/clusters/import', {
    body: { 'external-cluster-secret-name': name, 'allow-installations': true },
  })
  if (reply.status !== 202)
    throw new Error(`the import of ${name} was answered ${reply.status}: ${reply.text}`)
  return reply.body.ID
}

/** Creates an installation; it counts as running at once. */
export async function createStable(
  { url, server }: Pick<TestServer, 'url' | 'server'>,
  name: string,
  body: Readonly<Record<string, unknown>> = {},
): Promise<Id> {
  const reply = await send(url, 'POST', '/api/installations', {
    body: {
      OwnerID: 'owner',
      DNSNames: [`${name}.example.com`],
      Name: name,
      Affinity: 'multitenant',
      Database: 'cloudnative-pg',
      Filestore: 'local-ephemeral',
      ...body,
    },
  })
  if (reply.status !== 202) throw new Error(`creating ${name} was answered ${reply.status}: ${reply.text}`)
  makeStable(server.parts, reply.body.ID)
  return reply.body.ID
}

/** As if a cluster had been seen running what is wanted. */
export function makeStable({ observations, writer, clock }: TestServer['server']['parts'], id: Id): void {
  const generation = writer.fleet.installation(id)?.spec.operation.generation ?? 0
  observations.set('installation', id, { state: 'stable', generation, observedAt: clock.now() })
}

export function commitOf(reply: Reply): string {
  return reply.headers.get('fleetwright-commit') ?? ''
}
