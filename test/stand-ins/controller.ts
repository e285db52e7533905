/** What all stand-ins have in common: they watch one kind of object and bring each to where it should be, again and again. */
import { setTimeout as wait } from 'node:timers/promises'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'

const FIRST_BACK_OFF = 200
const LONGEST_BACK_OFF = 30_000

/** How a stand-in behaves; changed while it runs. */
export interface Behaviour {
  /** Slow: milliseconds before it does anything. */
  readonly delay: number
  /** Fails with this message instead of doing its work. */
  readonly failure: string | undefined
  /** Lies: reports success for the generation before the present one. */
  readonly staleGeneration: boolean
  /** Does nothing at all, as if its process were gone. */
  readonly stopped: boolean
}

const HONEST: Behaviour = { delay: 0, failure: undefined, staleGeneration: false, stopped: false }

export interface StandIn {
  /** @param key `<namespace>/<name>` of one object; all objects without it. What is left out stays as it is. */
  behave(behaviour: Partial<Behaviour>, key?: string): void
  close(): Promise<void>
}

export interface ControllerOptions<Kind extends KubernetesObject> {
  readonly api: KubernetesApi
  /** Path of the list over all namespaces. */
  readonly path: string
  /** How many objects at the same time; 10 by default. */
  readonly concurrency?: number
  /** One pass over one object. @returns milliseconds after which to look again without an event; undefined: no need */
  readonly reconcile: (object: Kind, behaviour: Behaviour) => Promise<number | undefined>
  /** Told when an object is gone. */
  readonly onRemove?: (key: string) => void
  /** Told of every error of a pass, for logs. */
  readonly onError?: (key: string, error: unknown) => void
}

export interface Controller extends StandIn {
  /** Looks at an object again now; without a key at all of them. */
  enqueue(key?: string): void
}

export function keyOf({ metadata }: Pick<KubernetesObject, 'metadata'>): string {
  return metadata.namespace === undefined ? metadata.name : `${metadata.namespace}/${metadata.name}`
}

export function startController<Kind extends KubernetesObject>(options: ControllerOptions<Kind>): Controller {
  const {
    api,
    path,
    reconcile,
    concurrency = 10,
    onError = () => undefined,
    onRemove = () => undefined,
  } = options
  const closing = new AbortController()
  const objects = new Map<string, Kind>()
  const waiting = new Set<string>()
  const busy = new Map<string, Promise<void>>()
  const timers = new Map<string, NodeJS.Timeout>()
  const backOffs = new Map<string, number>()
  const behaviours = new Map<string, Behaviour>()
  let general = HONEST

  function enqueue(key?: string): void {
    for (const one of key === undefined ? objects.keys() : [key]) {
      clearTimeout(timers.get(one))
      timers.delete(one)
      waiting.add(one)
    }
    work()
  }

  function later(key: string, milliseconds: number): void {
    clearTimeout(timers.get(key))
    timers.set(
      key,
      setTimeout(() => enqueue(key), milliseconds),
    )
  }

  function work(): void {
    if (closing.signal.aborted) return
    for (const key of waiting) {
      if (busy.size >= concurrency) return
      if (busy.has(key)) continue
      waiting.delete(key)
      if (!objects.has(key)) continue
      const pass = run(key).finally(() => {
        busy.delete(key)
        work()
      })
      busy.set(key, pass)
    }
  }

  async function run(key: string): Promise<void> {
    const behaviour = behaviours.get(key) ?? general
    if (behaviour.stopped) return
    try {
      if (behaviour.delay > 0) await wait(behaviour.delay, undefined, { signal: closing.signal })
      const object = objects.get(key)
      if (object === undefined) return
      const again = await reconcile(object, behaviour)
      backOffs.delete(key)
      if (again !== undefined) later(key, again)
    } catch (error) {
      if (closing.signal.aborted) return
      onError(key, error)
      const backOff = Math.min((backOffs.get(key) ?? FIRST_BACK_OFF / 2) * 2, LONGEST_BACK_OFF)
      backOffs.set(key, backOff)
      later(key, backOff)
    }
  }

  const watching = keepWatching<Kind>(api, path, closing.signal, {
    replace(items) {
      objects.clear()
      for (const item of items) objects.set(keyOf(item), item)
      enqueue()
    },
    set(item) {
      objects.set(keyOf(item), item)
      enqueue(keyOf(item))
    },
    remove(item) {
      objects.delete(keyOf(item))
      onRemove(keyOf(item))
    },
  })

  return {
    enqueue,
    behave(behaviour, key) {
      if (key === undefined) general = { ...general, ...behaviour }
      else behaviours.set(key, { ...(behaviours.get(key) ?? general), ...behaviour })
      enqueue(key)
    },
    async close() {
      closing.abort()
      for (const timer of timers.values()) clearTimeout(timer)
      await watching
      await Promise.all(busy.values())
    },
  }
}

interface Store<Kind> {
  replace(items: readonly Kind[]): void
  set(item: Kind): void
  remove(item: Kind): void
}

/** Lists and watches; begins anew whenever the watch ends, also when the server is away for a while. */
async function keepWatching<Kind extends KubernetesObject>(
  api: KubernetesApi,
  path: string,
  signal: AbortSignal,
  store: Store<Kind>,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const { items, metadata } = await api.list<Kind>(path)
      store.replace(items)
      for await (const { type, object } of api.watch<Kind>(path, metadata.resourceVersion, signal)) {
        if (type === 'ERROR') break
        if (type === 'DELETED') store.remove(object)
        else if (type !== 'BOOKMARK') store.set(object)
      }
    } catch {
      // The server is away or the connection broke: what was missed is in the next list.
    }
    await wait(FIRST_BACK_OFF, undefined, { signal }).catch(() => undefined)
  }
}
