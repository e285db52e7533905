/**
 * List and watch of one kind, for ever. The list comes in pages, the watch resumes with bookmarks; 410 lists again, every other
 * end backs off with jitter. What others' informers get wrong is in reference typescript §1.2.
 */
import type { Readable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { FleetError, isFleetError } from '../fleet/errors.ts'
import { isJsonObject, numberAt, objectAt, textAt } from '../fleet/observed/json.ts'
import { type LiveObject, objectKey } from '../fleet/observed/objects.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Watch, WatchOptions } from '../ports/clusters.ts'
import type { ApiHttp } from './http.ts'
import { asLiveObject, pathOf } from './resources.ts'

const PAGE = 500
const WATCH_SECONDS = 240
const SHORTEST_PAUSE = 250
const LONGEST_PAUSE = 30_000
/** A kind whose CRD is not there is asked for again this often. */
const UNKNOWN_KIND_PAUSE = 20_000
/** A watch that lived this long starts the back-off anew. */
const HEALTHY_MILLISECONDS = 60_000
/** Bookmarks come about every minute, so a watch that says nothing for longer is dead. */
const QUIET_MILLISECONDS = 130_000
const LONGEST_LINE = 8 * 1024 * 1024

export interface WatchParts {
  /** The present connection; it changes when credentials do. @throws FleetError why there is none */
  readonly http: () => Promise<ApiHttp>
  readonly clock: Clock
  readonly randomness: Randomness
  /** Ends pauses: there is reason to think that it works now. */
  readonly hurry: () => AbortSignal
  /** Something came from the server. */
  readonly onContact: () => void
  readonly onProblem: (error: FleetError) => void
  /** Watches that were opened again, for metrics. */
  readonly onRestart: (kind: string) => void
}

export function startWatch(options: WatchOptions, parts: WatchParts): Watch {
  const stop = new AbortController()
  const state: WatchState = { fresh: false, resourceVersion: undefined, present: new Map() }
  const running = keepWatching(options, parts, state, stop.signal)
  return {
    get fresh() {
      return state.fresh
    },
    async close() {
      stop.abort()
      await running
    },
  }
}

interface WatchState {
  fresh: boolean
  resourceVersion: string | undefined
  /** Key to resource version of all objects there are: a list again tells only what changed. */
  present: Map<string, string>
}

async function keepWatching(
  options: WatchOptions,
  parts: WatchParts,
  state: WatchState,
  signal: AbortSignal,
): Promise<void> {
  const { clock, randomness } = parts
  let pause = SHORTEST_PAUSE
  while (!signal.aborted) {
    const started = clock.monotonic()
    let next = SHORTEST_PAUSE
    try {
      const http = await parts.http()
      if (state.resourceVersion === undefined) await listAll(options, parts, state, http, signal)
      await watchOnce(options, parts, state, http, signal)
      pause = SHORTEST_PAUSE
    } catch (error) {
      if (signal.aborted) break
      state.fresh = false
      next = pauseAfter(error, options, parts, state, pause)
      pause =
        clock.monotonic() - started > HEALTHY_MILLISECONDS
          ? SHORTEST_PAUSE
          : Math.min(pause * 2, LONGEST_PAUSE)
    }
    parts.onRestart(options.kind.kind)
    const jittered = next * (0.5 + (randomness.bytes(1)[0] ?? 0) / 255)
    // An aborted pause is an ended pause.
    await clock.sleep(jittered, AbortSignal.any([signal, parts.hurry()])).catch(() => undefined)
  }
  state.fresh = false
}

function pauseAfter(
  error: unknown,
  options: WatchOptions,
  parts: WatchParts,
  state: WatchState,
  pause: number,
): number {
  if (!isFleetError(error)) {
    parts.onProblem(
      new FleetError(
        'internal',
        error instanceof Error ? error.message : String(error),
        {},
        { cause: error },
      ),
    )
    return pause
  }
  if (error.data.expired === true) {
    state.resourceVersion = undefined
    return SHORTEST_PAUSE
  }
  // The kind is not known (yet): no contact problem, and nothing of it can be there.
  if (error.code === 'not-found') {
    replace(options, state, new Map())
    state.resourceVersion = undefined
    state.fresh = true
    parts.onContact()
    return UNKNOWN_KIND_PAUSE
  }
  parts.onProblem(error)
  return pause
}

async function listAll(
  options: WatchOptions,
  parts: WatchParts,
  state: WatchState,
  http: ApiHttp,
  signal: AbortSignal,
): Promise<void> {
  const present = new Map<string, string>()
  let token: string | undefined
  let resourceVersion: string | undefined
  do {
    const page = await listPage(options, http, token, signal)
    parts.onContact()
    for (const object of page.items) take(options, state, present, object)
    resourceVersion = page.resourceVersion
    token = page.next
  } while (token !== undefined)
  replace(options, state, present)
  state.resourceVersion = resourceVersion
}

/** Tells what was there and is not in the new list. */
function replace(options: WatchOptions, state: WatchState, present: Map<string, string>): void {
  const before = state.present
  state.present = present
  for (const key of before.keys()) {
    if (present.has(key)) continue
    const [, kind = '', namespace = '', name = ''] = key.split('/')
    const metadata = namespace === '' ? { name } : { name, namespace }
    options.onChange({ object: { apiVersion: '', kind, metadata }, removed: true })
  }
  options.onListed?.()
}

/** One page of a list. @throws as `ApiHttp.json` */
export async function listPage(
  { kind, namespace, labelSelector }: Pick<WatchOptions, 'kind' | 'namespace' | 'labelSelector'>,
  http: ApiHttp,
  token: string | undefined,
  signal?: AbortSignal,
): Promise<{
  readonly items: readonly LiveObject[]
  readonly resourceVersion: string
  readonly next: string | undefined
}> {
  const query = new URLSearchParams({ limit: String(PAGE) })
  if (labelSelector !== undefined) query.set('labelSelector', labelSelector)
  if (token !== undefined) query.set('continue', token)
  const answer = await http.json({
    method: 'GET',
    path: `${pathOf(kind, namespace)}?${query}`,
    ...(signal === undefined ? {} : { signal }),
  })
  const list = isJsonObject(answer) ? answer : {}
  const metadata = objectAt(list, 'metadata')
  const next = textAt(metadata, 'continue')
  return {
    items: (Array.isArray(list.items) ? list.items : []).flatMap((item) => asLiveObject(item, kind) ?? []),
    resourceVersion: textAt(metadata, 'resourceVersion') ?? '',
    next: next === '' ? undefined : next,
  }
}

function take(
  options: WatchOptions,
  state: WatchState,
  present: Map<string, string>,
  object: LiveObject,
): void {
  const { namespace = '', name, resourceVersion = '' } = object.metadata
  const key = objectKey(options.kind, namespace, name)
  present.set(key, resourceVersion)
  if (state.present.get(key) !== resourceVersion)
    options.onChange({ object: options.keep(object), removed: false })
}

async function watchOnce(
  options: WatchOptions,
  parts: WatchParts,
  state: WatchState,
  http: ApiHttp,
  signal: AbortSignal,
): Promise<void> {
  const seconds = WATCH_SECONDS + ((parts.randomness.bytes(1)[0] ?? 0) % 60)
  const query = new URLSearchParams({
    watch: 'true',
    allowWatchBookmarks: 'true',
    resourceVersion: state.resourceVersion ?? '',
    timeoutSeconds: String(seconds),
  })
  if (options.labelSelector !== undefined) query.set('labelSelector', options.labelSelector)
  const path = `${pathOf(options.kind, options.namespace)}?${query}`
  const stream = await http.stream({
    method: 'GET',
    path,
    signal,
    timeLimitMilliseconds: QUIET_MILLISECONDS,
  })
  state.fresh = true
  parts.onContact()
  try {
    for await (const line of lines(stream)) {
      parts.onContact()
      event(options, state, line)
    }
  } finally {
    stream.destroy()
  }
}

/** @throws FleetError 410 as an error event, or a line that is no event */
function event(options: WatchOptions, state: WatchState, line: string): void {
  const parsed: unknown = JSON.parse(line)
  if (!isJsonObject(parsed))
    throw new FleetError('cluster-unavailable', 'The watch sent a line that is no event', {
      problem: 'unreachable',
    })
  const object = objectAt(parsed, 'object')
  const type = textAt(parsed, 'type')
  if (type === 'ERROR') {
    const code = numberAt(object, 'code')
    throw new FleetError('cluster-rejected', textAt(object, 'message') ?? 'The watch ended with an error', {
      status: code,
      expired: code === 410,
    })
  }
  const version = textAt(objectAt(object, 'metadata'), 'resourceVersion')
  if (version !== undefined) state.resourceVersion = version
  if (type === 'BOOKMARK') return
  const live = asLiveObject(object, options.kind)
  if (live === undefined) return
  const key = objectKey(options.kind, live.metadata.namespace ?? '', live.metadata.name)
  const removed = type === 'DELETED'
  if (removed) state.present.delete(key)
  else state.present.set(key, version ?? '')
  options.onChange({ object: options.keep(live), removed })
}

async function* lines(stream: Readable): AsyncIterable<string> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  for await (const chunk of stream) {
    rest += decoder.write(chunk as Buffer)
    let end = rest.indexOf('\n')
    while (end >= 0) {
      if (end > 0) yield rest.slice(0, end)
      rest = rest.slice(end + 1)
      end = rest.indexOf('\n')
    }
    if (rest.length > LONGEST_LINE)
      throw new FleetError('cluster-unavailable', 'The watch sent a line that is too long', {
        problem: 'unreachable',
      })
  }
}
