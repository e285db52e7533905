/** A way to a server that can be cut and mended: TCP through a port of its own. */
import { connect, createServer, type Socket } from 'node:net'
import type { AddressInfo } from 'node:net'

export interface Passage {
  readonly port: number
  /** Breaks what goes through and lets nothing new through. */
  cut(): void
  mend(): void
  close(): Promise<void>
}

export async function openPassage(target: URL): Promise<Passage> {
  const sockets = new Set<Socket>()
  let open = true
  const server = createServer((inbound) => {
    if (!open) return void inbound.destroy()
    const outbound = connect(Number(target.port), target.hostname)
    for (const [socket, other] of [
      [inbound, outbound],
      [outbound, inbound],
    ] as const) {
      sockets.add(socket)
      socket.on('close', () => {
        sockets.delete(socket)
        other.destroy()
      })
      // What breaks is closed; the other side is told by that.
      socket.on('error', () => socket.destroy())
      socket.pipe(other)
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const breakAll = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  return {
    // It listens on TCP, so it has an address.
    port: (server.address() as AddressInfo).port,
    cut() {
      open = false
      breakAll()
    },
    mend() {
      open = true
    },
    async close() {
      breakAll()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
