/** A Kubernetes API server as JSON over HTTPS: what the test bed and its stand-ins need of one. */
import type { IncomingMessage } from 'node:http'
import { Agent, request as startRequest } from 'node:https'

const FIELD_MANAGER = 'testbed'
const REQUEST_MILLISECONDS = 30_000

export interface OwnerReference {
  readonly apiVersion: string
  readonly kind: string
  readonly name: string
  readonly uid: string
  readonly controller?: boolean
}

export interface ObjectMetadata {
  readonly name: string
  readonly namespace?: string
  readonly uid?: string
  readonly resourceVersion?: string
  readonly generation?: number
  readonly deletionTimestamp?: string
  readonly creationTimestamp?: string
  readonly finalizers?: readonly string[]
  readonly labels?: Readonly<Record<string, string>>
  readonly annotations?: Readonly<Record<string, string>>
  readonly ownerReferences?: readonly OwnerReference[]
  readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[]
}

export interface KubernetesObject {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: ObjectMetadata
  readonly [field: string]: unknown
}

export interface WatchEvent<Kind extends KubernetesObject> {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR'
  readonly object: Kind
}

export interface KubernetesList<Kind extends KubernetesObject> {
  readonly metadata: { readonly resourceVersion: string }
  readonly items: readonly Kind[]
}

/** The API server's own refusal. */
export class KubernetesError extends Error {
  override readonly name = 'KubernetesError'
  readonly status: number

  constructor(status: number, message: string) {
    super(message)
    this.status = status
  }
}

const PATCH_TYPES = {
  merge: 'application/merge-patch+json',
  json: 'application/json-patch+json',
  apply: 'application/apply-patch+yaml',
} as const

export interface KubernetesApi {
  /** @throws KubernetesError */
  send<Answer>(method: string, path: string, body?: unknown, contentType?: string): Promise<Answer>
  /** undefined: there is no such object. */
  get<Kind extends KubernetesObject>(path: string): Promise<Kind | undefined>
  list<Kind extends KubernetesObject>(path: string): Promise<KubernetesList<Kind>>
  create<Kind extends KubernetesObject>(path: string, object: unknown): Promise<Kind>
  /** @param body goes as it is when it is a buffer */
  patch<Kind extends KubernetesObject>(
    path: string,
    body: unknown,
    type?: keyof typeof PATCH_TYPES,
  ): Promise<Kind>
  /** Server-side apply by the field manager `testbed`, by force. */
  apply<Kind extends KubernetesObject>(object: KubernetesObject, fieldManager?: string): Promise<Kind>
  /** Nothing happens when it is gone already. */
  remove(path: string): Promise<void>
  /** Path of an object by its kind, as the server's discovery says. */
  pathOf(object: Pick<KubernetesObject, 'apiVersion' | 'kind' | 'metadata'>): Promise<string>
  /** Ends when the server closes the stream or the signal aborts; @throws KubernetesError */
  watch<Kind extends KubernetesObject>(
    path: string,
    resourceVersion: string,
    signal: AbortSignal,
  ): AsyncIterable<WatchEvent<Kind>>
  close(): void
}

export interface ApiAddress {
  readonly url: string
  /** Certificates in PEM. */
  readonly authority: string
  readonly token: string
}

export function createKubernetesApi(address: ApiAddress): KubernetesApi {
  const agent = new Agent({ keepAlive: true, ca: address.authority, maxSockets: 64 })
  const resources = new Map<string, Promise<readonly ApiResource[]>>()

  async function send<Answer>(
    method: string,
    path: string,
    body?: unknown,
    contentType = 'application/json',
  ): Promise<Answer> {
    const response = await open(address, agent, { method, path, body, contentType })
    const text = await textOf(response)
    const status = response.statusCode ?? 0
    if (status < 300) return JSON.parse(text)
    throw refusal(status, method, path, text)
  }

  async function pathOf({ apiVersion, kind, metadata }: KubernetesObject): Promise<string> {
    const base = apiVersion === 'v1' ? '/api/v1' : `/apis/${apiVersion}`
    const found = await findResource(base, kind)
    const namespace = found.namespaced ? `/namespaces/${metadata.namespace ?? 'default'}` : ''
    return `${base}${namespace}/${found.name}/${metadata.name}`
  }

  async function findResource(base: string, kind: string): Promise<ApiResource> {
    const matches = ({ kind: known, name }: ApiResource): boolean => known === kind && !name.includes('/')
    const before = (await (resources.get(base) ?? discover(base))).find(matches)
    // A kind may have come since.
    const found = before ?? (await discover(base)).find(matches)
    if (found === undefined) throw new KubernetesError(404, `there is no kind ${kind} in ${base}`)
    return found
  }

  function discover(base: string): Promise<readonly ApiResource[]> {
    const answer = send<{ readonly resources: readonly ApiResource[] }>('GET', base).then(
      (list) => list.resources,
    )
    resources.set(base, answer)
    answer.catch(() => resources.delete(base))
    return answer
  }

  return {
    send,
    pathOf,
    get: (path) => orUndefined(send('GET', path)),
    list: (path) => send('GET', path),
    create: (path, object) => send('POST', path, object),
    patch: (path, body, type = 'merge') => send('PATCH', path, body, PATCH_TYPES[type]),
    async apply(object, fieldManager = FIELD_MANAGER) {
      const path = await pathOf(object)
      return await send('PATCH', `${path}?fieldManager=${fieldManager}&force=true`, object, PATCH_TYPES.apply)
    },
    async remove(path) {
      await orUndefined(send('DELETE', path))
    },
    async *watch<Kind extends KubernetesObject>(path: string, resourceVersion: string, signal: AbortSignal) {
      const separator = path.includes('?') ? '&' : '?'
      const query = `${separator}watch=true&allowWatchBookmarks=true&resourceVersion=${resourceVersion}`
      const response = await open(address, agent, { method: 'GET', path: `${path}${query}`, signal })
      const status = response.statusCode ?? 0
      if (status >= 300) throw refusal(status, 'WATCH', path, await textOf(response))
      for await (const line of linesOf(response)) {
        const event: WatchEvent<Kind> = JSON.parse(line)
        yield event
      }
    },
    close: () => agent.destroy(),
  }
}

interface ApiResource {
  readonly name: string
  readonly kind: string
  readonly namespaced: boolean
}

interface RequestOptions {
  readonly method: string
  readonly path: string
  readonly body?: unknown
  readonly contentType?: string
  readonly signal?: AbortSignal
}

async function open(
  { url, token }: ApiAddress,
  agent: Agent,
  { method, path, body, contentType = 'application/json', signal }: RequestOptions,
): Promise<IncomingMessage> {
  const text = body === undefined || body instanceof Buffer ? body : JSON.stringify(body)
  return await new Promise((resolve, reject) => {
    const request = startRequest(
      `${url}${path}`,
      {
        method,
        agent,
        ...(signal === undefined ? { timeout: REQUEST_MILLISECONDS } : { signal }),
        headers: {
          Authorization: `Bearer ${token}`,
          ...(text === undefined
            ? {}
            : { 'Content-Type': contentType, 'Content-Length': Buffer.byteLength(text) }),
        },
      },
      resolve,
    )
    request.once('timeout', () => request.destroy(new Error(`${method} ${path}: no answer in time`)))
    request.once('error', reject)
    request.end(text)
  })
}

/** Unlike node:readline this passes a broken connection on as an error. */
async function* linesOf(response: IncomingMessage): AsyncIterable<string> {
  let rest = ''
  for await (const text of response.setEncoding('utf8')) {
    const lines = (rest + text).split('\n')
    rest = lines.pop() ?? ''
    yield* lines
  }
}

async function textOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of response) chunks.push(chunk)
  return Buffer.concat(chunks).toString('utf8')
}

function refusal(status: number, method: string, path: string, text: string): KubernetesError {
  return new KubernetesError(status, `${method} ${path} was answered ${status}: ${messageOf(text)}`)
}

function messageOf(text: string): string {
  try {
    const { message }: { readonly message?: string } = JSON.parse(text)
    return message ?? text
  } catch {
    return text
  }
}

async function orUndefined<Value>(answer: Promise<Value>): Promise<Value | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof KubernetesError && error.status === 404) return undefined
    throw error
  }
}
