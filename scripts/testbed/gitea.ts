/** Gitea: repositories, pull requests and webhooks over HTTP, with one administrator. */
import { spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ensureTool, ensureToolFiles } from './binaries.ts'
import { answers, freePort } from './ports.ts'
import type { ManagedProcess, Supervisor } from './supervisor.ts'

export interface Gitea {
  readonly url: string
  readonly user: string
  /** Also good as the password of HTTP basic authentication. */
  readonly token: string
  /** A call of its API, path below `/api/v1`; null for an empty answer. @throws Error with its answer when refused */
  call<Answer>(method: string, path: string, body?: unknown): Promise<Answer>
  /** Another user with a token of their own. */
  addUser(name: string): Promise<GiteaLogin>
  /** One more token of a user, with these scopes: `read:repository`, … */
  addToken(name: string, scopes: readonly string[]): Promise<string>
  /** Ends it until it is started again, with all that it knew; by SIGTERM unless another signal is given. */
  stop(signal?: NodeJS.Signals): Promise<void>
  start(): Promise<void>
}

export interface GiteaLogin {
  readonly token: string
  /** For its pages. */
  readonly password: string
}

const ADMINISTRATOR = 'fleet'

export async function startGitea(supervisor: Supervisor): Promise<Gitea> {
  const folder = await supervisor.makeFolder('gitea', 0o700)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const command = await ensureTool('gitea')
  const configuration = join(folder, 'app.ini')
  await writeFile(configuration, settings(folder, port, await ensureToolFiles('gitea')), { mode: 0o600 })
  const environment = { GITEA_WORK_DIR: folder, HOME: folder, USER: process.env.USER ?? 'root' }
  const start = (): Promise<ManagedProcess> =>
    supervisor.start({
      name: 'gitea',
      command,
      args: ['--config', configuration, 'web'],
      environment,
      ready: () => answers(`${url}/api/healthz`),
    })
  let running = await start()
  const run = (...args: string[]): Promise<string> =>
    runToEnd(command, ['--config', configuration, ...args], environment)
  const addUser = async (name: string, ...flags: string[]): Promise<GiteaLogin> => {
    const login = ['--username', name]
    const email = `${name}@fleetwright.invalid`
    const password = randomBytes(12).toString('hex')
    const secret = ['--password', password, '--must-change-password=false']
    await run('admin', 'user', 'create', ...flags, ...login, '--email', email, ...secret)
    return { token: await addToken(name, ['all']), password }
  }
  const addToken = async (name: string, scopes: readonly string[]): Promise<string> => {
    const flags = ['--token-name', `testbed-${scopes.join('-')}`, '--scopes', scopes.join(','), '--raw']
    const output = await run('admin', 'user', 'generate-access-token', '--username', name, ...flags)
    // Warnings may stand before and after it.
    const token = /^[0-9a-f]{40}$/m.exec(output)?.[0]
    if (token === undefined) throw new Error(`gitea made no token for ${name}; it said ${output}`)
    return token
  }
  const { token } = await addUser(ADMINISTRATOR, '--admin')
  return {
    url,
    user: ADMINISTRATOR,
    token,
    addUser,
    addToken,
    stop: (signal) => running.stop(signal),
    async start() {
      running = await start()
    },
    call: (method, path, body) => callApi(url, token, method, path, body),
  }
}

function settings(folder: string, port: number, files: string): string {
  const secret = (): string => randomBytes(32).toString('base64url')
  return `RUN_USER = ${process.env.USER ?? 'root'}
RUN_MODE = prod
WORK_PATH = ${folder}
I_AM_BEING_UNSAFE_RUNNING_AS_ROOT = true
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
STATIC_ROOT_PATH = ${files}
START_SSH_SERVER = false
SSH_CREATE_AUTHORIZED_KEYS_FILE = false
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
PATH = ${join(folder, 'gitea.db')}
[security]
INSTALL_LOCK = true
SECRET_KEY = ${secret()}
INTERNAL_TOKEN = ${secret()}
[oauth2]
ENABLED = false
JWT_SECRET = ${secret()}
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = loopback
[repository]
ROOT = ${join(folder, 'repositories')}
[actions]
ENABLED = false
[packages]
ENABLED = false
[indexer]
ISSUE_INDEXER_TYPE = db
[log]
MODE = console
LEVEL = warn
`
}

/** A call of Gitea's API with a token, path below `/api/v1`; null for an empty answer. @throws Error with its answer when refused */
export async function callApi<Answer>(
  url: string,
  token: string,
  method: string,
  path: string,
  body: unknown,
): Promise<Answer> {
  const response = await fetch(`${url}/api/v1${path}`, {
    method,
    headers: { Authorization: `token ${token}`, 'Content-Type': 'application/json' },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  if (!response.ok) throw new Error(`gitea: ${method} ${path} was answered ${response.status}: ${text}`)
  return JSON.parse(text === '' ? 'null' : text)
}

async function runToEnd(
  command: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<string> {
  const child = spawn(command, [...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: process.env.PATH, ...environment },
  })
  let output = ''
  let errors = ''
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text
  })
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors += text
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code !== 0)
    throw new Error(`gitea ${args.slice(2, 5).join(' ')} ended with ${code}: ${errors}${output}`)
  return output
}
