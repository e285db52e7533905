/** A real git server: `git http-backend` behind HTTP, with a token, and faults that can be switched on. */
import { execFileSync, spawn } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

export type Fault =
  /** The connection ends before the request is carried out. */
  | { readonly kind: 'cut-before' }
  /** The request is carried out, its answer never arrives. */
  | { readonly kind: 'cut-after' }
  /** The request is carried out, half of the answer arrives, as if it were the whole. */
  | { readonly kind: 'half-answer' }
  /** The connection ends at once, the request is carried out some time later. */
  | { readonly kind: 'cut-and-carry-out'; readonly milliseconds: number }
  | { readonly kind: 'slow'; readonly milliseconds: number }
  | {
      readonly kind: 'status'
      readonly status: number
      readonly headers?: Readonly<Record<string, string>>
      readonly text?: string
    }

export type Service = 'refs' | 'upload-pack' | 'receive-pack'

export interface GitServer {
  readonly url: string
  /** The bare repository that is served. */
  readonly directory: string
  /** Every request that came, as `POST /fleet.git/git-receive-pack`, with the size of its body. */
  readonly requests: { readonly line: string; readonly bytes: number }[]
  /** Connections that were opened. */
  connections(): number
  /** The next `times` requests of a service fail this way. */
  fail(service: Service, fault: Fault, times?: number): void
  /** Another token from now on. */
  setToken(token: string): void
  /** A pre-receive hook that refuses every push with these words; undefined takes it away. */
  refusePushes(words: string | undefined): Promise<void>
  /** Native git in the served repository. */
  git(...args: readonly string[]): string
  close(): Promise<void>
}

export const GIT_TOKEN = 'for-tests-only-5f1c'

export async function startGitServer(
  options: { readonly branch?: string; readonly objectFormat?: string } = {},
): Promise<GitServer> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-server-'))
  const directory = join(folder, 'fleet.git')
  await mkdir(directory)
  const git = (...args: readonly string[]): string =>
    execFileSync('git', ['--git-dir', directory, ...args], { encoding: 'utf8', maxBuffer: 1 << 28 })
  const format = `--object-format=${options.objectFormat ?? 'sha1'}`
  git('init', '--quiet', '--bare', format, `--initial-branch=${options.branch ?? 'main'}`)
  git('config', 'http.receivepack', 'true')
  git('config', 'receive.autogc', 'false')
  let token = GIT_TOKEN
  let connections = 0
  const faults = new Map<Service, Fault[]>()
  const requests: { line: string; bytes: number }[] = []
  const server = createServer(async (request, response) => {
    const body = await read(request)
    requests.push({ line: `${request.method} ${request.url}`, bytes: body.length })
    const fault = faults.get(serviceOf(request.url ?? ''))?.shift()
    if (fault?.kind === 'cut-before') return void request.socket.destroy()
    if (fault?.kind === 'cut-and-carry-out') {
      request.socket.destroy()
      await sleep(fault.milliseconds)
      return void (await backend(folder, request, body))
    }
    if (fault?.kind === 'slow') await sleep(fault.milliseconds)
    if (fault?.kind === 'status')
      return void response
        .writeHead(fault.status, { 'Content-Type': 'text/plain', ...fault.headers })
        .end(fault.text ?? 'switched off for a test\n')
    if (!isAllowed(request, token))
      return void response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="git"' }).end('Unauthorized\n')
    const answer = await backend(folder, request, body)
    if (fault?.kind === 'cut-after') return void request.socket.destroy()
    send(response, answer, fault?.kind === 'half-answer')
  })
  server.on('connection', () => {
    connections += 1
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // An address, because it listens on TCP.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/fleet.git`,
    directory,
    requests,
    connections: () => connections,
    fail(service, fault, times = 1) {
      faults.set(service, [...(faults.get(service) ?? []), ...Array.from({ length: times }, () => fault)])
    },
    setToken(next) {
      token = next
    },
    async refusePushes(words) {
      const hook = join(directory, 'hooks', 'pre-receive')
      if (words === undefined) return await rm(hook, { force: true })
      await mkdir(join(directory, 'hooks'), { recursive: true })
      await writeFile(hook, `#!/bin/sh\ncat >/dev/null\ncat >&2 <<'WORDS'\n${words}\nWORDS\nexit 1\n`)
      await chmod(hook, 0o755)
    },
    git,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}

function serviceOf(url: string): Service {
  if (url.endsWith('/git-receive-pack')) return 'receive-pack'
  return url.endsWith('/git-upload-pack') ? 'upload-pack' : 'refs'
}

async function read(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk)
  return Buffer.concat(chunks)
}

function isAllowed(request: IncomingMessage, token: string): boolean {
  const [scheme, value = ''] = (request.headers.authorization ?? '').split(' ')
  return scheme === 'Basic' && Buffer.from(value, 'base64').toString('utf8').endsWith(`:${token}`)
}

async function backend(folder: string, request: IncomingMessage, body: Buffer): Promise<Buffer> {
  const url = new URL(request.url ?? '/', 'http://localhost')
  const child = spawn('git', ['http-backend'], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: {
      PATH: process.env.PATH,
      GIT_PROJECT_ROOT: folder,
      GIT_HTTP_EXPORT_ALL: '1',
      GIT_CONFIG_NOSYSTEM: '1',
      GIT_CONFIG_GLOBAL: '/dev/null',
      REQUEST_METHOD: request.method,
      PATH_INFO: url.pathname,
      QUERY_STRING: url.search.slice(1),
      CONTENT_TYPE: request.headers['content-type'] ?? '',
      CONTENT_LENGTH: String(body.length),
      HTTP_CONTENT_ENCODING: request.headers['content-encoding'] ?? '',
      GIT_PROTOCOL: String(request.headers['git-protocol'] ?? ''),
      REMOTE_USER: 'somebody',
    },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stdin.on('error', () => undefined)
  child.stdin.end(body)
  await new Promise((resolve) => child.once('close', resolve))
  return Buffer.concat(chunks)
}

/** What a CGI program wrote, as an answer. */
function send(response: ServerResponse, output: Buffer, half: boolean): void {
  const end = output.indexOf('\r\n\r\n')
  const headers = output
    .toString('latin1', 0, end)
    .split('\r\n')
    .map((line) => [line.slice(0, line.indexOf(':')), line.slice(line.indexOf(':') + 1).trim()] as const)
  const status = Number(headers.find(([name]) => name === 'Status')?.[1].slice(0, 3) ?? '200')
  const body = output.subarray(end + 4)
  response.writeHead(status, Object.fromEntries(headers.filter(([name]) => name !== 'Status')))
  response.end(half ? body.subarray(0, Math.floor(body.length / 2)) : body)
}
