/** Free ports of the loopback interface. */
import { randomInt } from 'node:crypto'
import { connect, createServer, type Server } from 'node:net'

/** Below the ports that the system gives to connections that go out: one of those could take a port before its process does. */
const FIRST = 12_000
const COUNT = 20_000
const MOST_TRIES = 1_000

/** So many different ports, free at this moment: held open together, then let go. */
export async function freePorts(count: number): Promise<readonly number[]> {
  const held: Server[] = []
  const ports: number[] = []
  try {
    for (let tries = 0; ports.length < count; tries += 1) {
      if (tries === MOST_TRIES) throw new Error(`no ${count} free ports from ${FIRST} to ${FIRST + COUNT}`)
      const port = FIRST + randomInt(COUNT)
      const server = await hold(port)
      if (server === undefined) continue
      held.push(server)
      ports.push(port)
    }
  } finally {
    await Promise.all(held.map((server) => new Promise((resolve) => server.close(resolve))))
  }
  return ports
}

/** Undefined: somebody has it. */
async function hold(port: number): Promise<Server | undefined> {
  const server = createServer()
  return await new Promise<Server | undefined>((resolve) => {
    server.once('error', () => resolve(undefined))
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
}

export async function freePort(): Promise<number> {
  const [port] = await freePorts(1)
  if (port === undefined) throw new Error('no free port')
  return port
}

/** Does somebody listen there? */
export async function isListening(port: number): Promise<boolean> {
  const socket = connect({ host: '127.0.0.1', port })
  try {
    return await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
  } finally {
    socket.destroy()
  }
}

/** Does it answer with this status? */
export async function answers(url: string, status = 200): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(5_000) })
  await response.arrayBuffer()
  return response.status === status
}
