/** Takes webhooks, checks their signatures, and remembers what they say. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { signatureOf } from '../../src/notify/http-sender.ts'

export interface ReceivedEvent {
  readonly event_id: string
  readonly id: string
  readonly type: string
  readonly old_state: string
  readonly new_state: string
}

export interface WebhookReceiver {
  readonly url: string
  /** In the order of arrival; one that came twice is there once. */
  readonly events: readonly ReceivedEvent[]
  /** Messages whose signature was wrong. */
  readonly forged: () => number
  /** States that an object went through, as it was told. */
  statesOf(id: string): readonly string[]
  close(): Promise<void>
}

/** @param key the server's signing key */
export async function startWebhookReceiver(key: () => Promise<Uint8Array>): Promise<WebhookReceiver> {
  const events: ReceivedEvent[] = []
  let forged = 0
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const body = Buffer.concat(chunks).toString('utf8')
    const id = String(request.headers['webhook-id'])
    const seconds = Number(request.headers['webhook-timestamp'])
    if (request.headers['webhook-signature'] !== signatureOf(await key(), { id, body }, seconds)) forged += 1
    const event: ReceivedEvent = JSON.parse(body)
    if (!events.some(({ event_id }) => event_id === event.event_id)) events.push(event)
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  return {
    url: `http://127.0.0.1:${port}/hook`,
    events,
    forged: () => forged,
    statesOf: (id) => events.filter((event) => event.id === id).map(({ new_state }) => new_state),
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
