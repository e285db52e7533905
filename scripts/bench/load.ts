/** Sends creates and waits for their commits. */
import { Agent, request } from 'node:http'

export interface Target {
  readonly url: string
  readonly token: string
}

export interface LoadResult {
  readonly seconds: number
  /** Of each request, in seconds. */
  readonly latencies: readonly number[]
}

/**
 * Keeps so many requests in flight until all are answered.
 * @throws Error unless each is answered 202 with a commit
 */
export async function createAll(
  target: Target,
  bodies: readonly string[],
  inFlight: number,
): Promise<LoadResult> {
  const agent = new Agent({ keepAlive: true, maxSockets: inFlight })
  const latencies: number[] = []
  let next = 0
  async function work(): Promise<void> {
    for (let body = bodies[next++]; body !== undefined; body = bodies[next++]) {
      const started = performance.now()
      await create(target, body, agent)
      latencies.push((performance.now() - started) / 1000)
    }
  }
  try {
    await Promise.all(Array.from({ length: inFlight }, () => get(target, agent)))
    const started = performance.now()
    await Promise.all(Array.from({ length: inFlight }, work))
    return { seconds: (performance.now() - started) / 1000, latencies }
  } finally {
    agent.destroy()
  }
}

async function create(target: Target, body: string, agent: Agent): Promise<void> {
  const { status, commit, text } = await send(target, 'POST', '/api/installations', body, agent)
  if (status !== 202 || commit === undefined)
    throw new Error(
      `a create was answered ${status}${commit === undefined ? ' without a commit' : ''}: ${text}`,
    )
}

/** One request that only reads. @throws Error unless it is answered 200 */
export async function read(target: Target, path: string): Promise<string> {
  const agent = new Agent()
  const { status, text } = await send(target, 'GET', path, undefined, agent)
  if (status !== 200) throw new Error(`${path} was answered ${status}: ${text}`)
  return text
}

/** Opens a connection, so that it is not part of the first request's time. */
async function get(target: Target, agent: Agent): Promise<void> {
  await send(target, 'GET', '/healthz', undefined, agent)
}

interface Answer {
  readonly status: number
  readonly commit: string | undefined
  readonly text: string
}

async function send(
  { url, token }: Target,
  method: string,
  path: string,
  body: string | undefined,
  agent: Agent,
): Promise<Answer> {
  return await new Promise((resolve, reject) => {
    const outgoing = request(
      `${url}${path}`,
      {
        method,
        agent,
        headers: {
          authorization: `Bearer ${token}`,
          ...(body === undefined
            ? {}
            : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }),
        },
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.once('error', reject)
        response.once('end', () => {
          const commit = response.headers['fleetwright-commit']
          resolve({
            status: response.statusCode ?? 0,
            commit: typeof commit === 'string' ? commit : undefined,
            text: Buffer.concat(chunks).toString('utf8'),
          })
        })
      },
    )
    outgoing.once('error', reject)
    outgoing.end(body)
  })
}
