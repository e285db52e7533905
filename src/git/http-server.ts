/** The embedded repository over smart HTTP, read-only: what `git clone` and both engines need. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { pipeline } from 'node:stream/promises'
import { createGunzip } from 'node:zlib'
import { startGit } from './child-process.ts'

/** @param path below the mount, for example `/info/refs` */
export type GitHttpHandler = (
  request: IncomingMessage,
  response: ServerResponse,
  path: string,
) => Promise<void>

/** Who may read was decided before. */
export function createGitHttpHandler(directory: string): GitHttpHandler {
  return async (request, response, path) => {
    const url = new URL(path, 'http://localhost')
    const service = url.searchParams.get('service')
    if (request.method === 'GET' && url.pathname === '/info/refs' && service === 'git-upload-pack') {
      response.writeHead(200, headers('application/x-git-upload-pack-advertisement'))
      response.write('001e# service=git-upload-pack\n0000')
      return await uploadPack(directory, request, response, true)
    }
    if (request.method === 'POST' && url.pathname === '/git-upload-pack') {
      response.writeHead(200, headers('application/x-git-upload-pack-result'))
      return await uploadPack(directory, request, response, false)
    }
    const pushing = service === 'git-receive-pack' || url.pathname === '/git-receive-pack'
    const text = pushing
      ? 'This repository is read-only; change the fleet through the API.\n'
      : 'There is no such page; clone with git.\n'
    response.writeHead(pushing ? 403 : 404, { 'Content-Type': 'text/plain; charset=utf-8' }).end(text)
  }
}

function headers(type: string): Readonly<Record<string, string>> {
  return { 'Content-Type': type, 'Cache-Control': 'no-cache, max-age=0, must-revalidate' }
}

async function uploadPack(
  directory: string,
  request: IncomingMessage,
  response: ServerResponse,
  advertise: boolean,
): Promise<void> {
  const protocol = request.headers['git-protocol']
  const environment: Readonly<Record<string, string>> =
    typeof protocol === 'string' && /^[a-z0-9=:]{1,64}$/.test(protocol) ? { GIT_PROTOCOL: protocol } : {}
  const child = startGit(
    ['upload-pack', '--stateless-rpc', '--strict', ...(advertise ? ['--advertise-refs'] : []), directory],
    { environment },
  )
  child.stderr.resume()
  // A client that goes away must not leave git behind.
  response.once('close', () => child.kill())
  if (advertise) child.stdin.end()
  const input =
    request.headers['content-encoding'] === 'gzip'
      ? ([request, createGunzip(), child.stdin] as const)
      : ([request, child.stdin] as const)
  const sent = pipeline(child.stdout, response)
  const received = advertise ? Promise.resolve() : pipeline([...input])
  const [answer] = await Promise.allSettled([sent, received])
  if (answer.status === 'rejected' && !response.destroyed) response.destroy()
}
