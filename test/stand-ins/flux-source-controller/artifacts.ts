/** Serves artifacts over HTTP on loopback. */
import { createHash } from 'node:crypto'
import { createServer } from 'node:http'

export interface Artifacts {
  /** @returns its URL and the digest as Flux writes it */
  put(path: string, content: Buffer): { readonly url: string; readonly digest: string }
  close(): Promise<void>
}

export async function serveArtifacts(): Promise<Artifacts> {
  const contents = new Map<string, Buffer>()
  const server = createServer((request, response) => {
    const content = contents.get(request.url ?? '')
    if (content === undefined) response.writeHead(404).end()
    else response.writeHead(200, { 'Content-Type': 'application/gzip' }).end(content)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  return {
    put(path, content) {
      contents.set(`/${path}`, content)
      const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`
      return { url: `http://127.0.0.1:${address.port}/${path}`, digest }
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
