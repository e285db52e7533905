/** One API server: its connection, whether there is contact, and everything that may be asked of it. */
import { type ErrorCode, FleetError, isFleetError } from '../fleet/errors.ts'
import { isJsonObject } from '../fleet/observed/json.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'
import type { Contact, ContactProblem } from '../fleet/observed/sight.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { ClusterApi, ClusterName, Endpoint, Watch, WatchOptions } from '../ports/clusters.ts'
import { type ApiHttp, createApiHttp } from './http.ts'
import { asLiveObject, pathOf } from './resources.ts'
import { listPage, startWatch } from './watch.ts'

const HEARTBEAT_MILLISECONDS = 10_000
const HEARTBEAT_LIMIT_MILLISECONDS = 5_000
/** Contact is told as new only when it is older than this: every event would tell it otherwise. */
const CONTACT_GRAIN_MILLISECONDS = 1_000

const CREDENTIAL_PROBLEMS = new Set<string>([
  'credentials-missing',
  'credentials-invalid',
  'credentials-unavailable',
] satisfies readonly (ContactProblem & ErrorCode)[])

export interface ClusterApiParts {
  readonly name: ClusterName
  /** @throws FleetError `credentials-missing`, `credentials-invalid`, `credentials-unavailable` */
  readonly endpoint: () => Promise<Endpoint>
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onRestart?: (kind: string) => void
}

export interface OpenClusterApi extends ClusterApi {
  /** Credentials may have changed: reads them again, and tries at once what failed. */
  renewCredentials(): void
}

export function openClusterApi(parts: ClusterApiParts): OpenClusterApi {
  return new Connection(parts)
}

class Connection implements OpenClusterApi {
  readonly name: ClusterName
  readonly #parts: ClusterApiParts
  readonly #watches = new Set<Watch>()
  readonly #listeners = new Set<(contact: Contact) => void>()
  readonly #stop = new AbortController()
  readonly #heartbeat: Promise<void>
  #hurry = new AbortController()
  #http: Promise<ApiHttp> | undefined
  #contact: Contact = { connected: false, lastContact: undefined }

  constructor(parts: ClusterApiParts) {
    this.name = parts.name
    this.#parts = parts
    this.#heartbeat = this.#beat()
  }

  get contact(): Contact {
    return this.#contact
  }

  watch(options: WatchOptions): Watch {
    const { clock, randomness, onRestart } = this.#parts
    const watch = startWatch(options, {
      http: () => this.#connection(),
      clock,
      randomness,
      hurry: () => this.#hurry.signal,
      onContact: () => this.#inContact(),
      onProblem: (error) => this.#problem(error),
      onRestart: onRestart ?? (() => undefined),
    })
    this.#watches.add(watch)
    return {
      get fresh() {
        return watch.fresh
      },
      close: async () => {
        this.#watches.delete(watch)
        await watch.close()
      },
    }
  }

  async list(
    kind: ResourceKind,
    visit: (object: LiveObject) => void,
    options: { readonly namespace?: string; readonly labelSelector?: string } = {},
  ): Promise<void> {
    let token: string | undefined
    do {
      const page = await this.#ask((http) => listPage({ kind, ...options }, http, token))
      for (const object of page.items) visit(object)
      token = page.next
    } while (token !== undefined)
  }

  async get(
    kind: ResourceKind,
    namespace: string | undefined,
    name: string,
  ): Promise<LiveObject | undefined> {
    try {
      const answer = await this.#ask((http) =>
        http.json({ method: 'GET', path: pathOf(kind, namespace, name) }),
      )
      return asLiveObject(isJsonObject(answer) ? answer : undefined, kind)
    } catch (error) {
      if (isFleetError(error) && error.code === 'not-found') return undefined
      throw error
    }
  }

  async dryRunApply(kind: ResourceKind, object: LiveObject, fieldManager: string): Promise<LiveObject> {
    const query = new URLSearchParams({
      dryRun: 'All',
      fieldManager,
      force: 'true',
      fieldValidation: 'Ignore',
    })
    const path = `${pathOf(kind, object.metadata.namespace, object.metadata.name)}?${query}`
    const body = JSON.stringify(object)
    const answer = await this.#ask((http) =>
      http.json({ method: 'PATCH', path, body, contentType: 'application/apply-patch+yaml' }),
    )
    const result = asLiveObject(isJsonObject(answer) ? answer : undefined, kind)
    if (result === undefined) throw new FleetError('cluster-rejected', 'The dry run answered no object')
    return result
  }

  async annotate(
    kind: ResourceKind,
    namespace: string,
    name: string,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void> {
    const path = `${pathOf(kind, namespace, name)}?fieldManager=fleetwright-nudge`
    const body = JSON.stringify({ metadata: { annotations } })
    await this.#ask((http) =>
      http.json({ method: 'PATCH', path, body, contentType: 'application/merge-patch+json' }),
    )
  }

  onContact(listener: (contact: Contact) => void): () => void {
    this.#listeners.add(listener)
    return () => this.#listeners.delete(listener)
  }

  renewCredentials(): void {
    this.#forgetCredentials()
    this.#hurry.abort()
    this.#hurry = new AbortController()
  }

  #forgetCredentials(): void {
    const http = this.#http
    this.#http = undefined
    // Watches on the old connection end and take the new one.
    void http?.then((open) => open.close()).catch(() => undefined)
  }

  async close(): Promise<void> {
    this.#stop.abort()
    await Promise.all([...this.#watches].map((watch) => watch.close()))
    await this.#heartbeat
    this.#forgetCredentials()
  }

  /** Asks, and learns of the contact from the answer. */
  async #ask<Answer>(question: (http: ApiHttp) => Promise<Answer>): Promise<Answer> {
    try {
      const answer = await question(await this.#connection())
      this.#inContact()
      return answer
    } catch (error) {
      if (isFleetError(error)) this.#problem(error)
      throw error
    }
  }

  async #connection(): Promise<ApiHttp> {
    this.#http ??= this.#parts.endpoint().then(createApiHttp)
    const opening = this.#http
    try {
      return await opening
    } catch (error) {
      if (this.#http === opening) this.#http = undefined
      throw error
    }
  }

  async #beat(): Promise<void> {
    const { clock } = this.#parts
    const { signal } = this.#stop
    while (!signal.aborted) {
      try {
        await this.#ask((http) =>
          http.json({
            method: 'GET',
            path: '/version',
            signal,
            timeLimitMilliseconds: HEARTBEAT_LIMIT_MILLISECONDS,
          }),
        )
      } catch (error) {
        // A connection that hangs keeps its watches hanging: a new one finds out at once.
        if (!signal.aborted && isFleetError(error) && error.code === 'cluster-unavailable')
          this.#forgetCredentials()
      }
      await clock
        .sleep(HEARTBEAT_MILLISECONDS, AbortSignal.any([signal, this.#hurry.signal]))
        .catch(() => undefined)
    }
  }

  #inContact(): void {
    const now = this.#parts.clock.now()
    const { connected, lastContact = 0, problem } = this.#contact
    if (connected && problem === undefined && now - lastContact < CONTACT_GRAIN_MILLISECONDS) return
    const news = !connected || problem !== undefined
    this.#contact = { connected: true, lastContact: now }
    if (news) this.#tell()
  }

  #problem(error: FleetError): void {
    if (this.#stop.signal.aborted || error.data.replaced === true) return
    const code = problemOf(error)
    // What one request is not allowed, or one object is refused, says nothing about the contact.
    if (code === undefined) return
    const { problem, connected, lastContact } = this.#contact
    if (code === 'unauthorized') this.#forgetCredentials()
    if (!connected && problem?.code === code && problem.detail === error.message) return
    const since = problem?.code === code ? problem.since : this.#parts.clock.now()
    this.#contact = { connected: false, lastContact, problem: { code, detail: error.message, since } }
    this.#tell()
  }

  #tell(): void {
    for (const listener of this.#listeners) listener(this.#contact)
  }
}

function problemOf(error: FleetError): ContactProblem | undefined {
  if (CREDENTIAL_PROBLEMS.has(error.code)) return error.code as ContactProblem
  if (error.code !== 'cluster-unavailable') return undefined
  const { problem } = error.data
  return typeof problem === 'string' ? (problem as ContactProblem) : 'unreachable'
}
