/** Credentials in places that do not tell of changes: asked again from time to time for the clusters that use them. */
import { isFleetError } from '../fleet/errors.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import {
  type ClusterCredentials,
  type ClusterName,
  CONTROL_CLUSTER,
  type CredentialSource,
} from '../ports/clusters.ts'

const INTERVAL_MILLISECONDS = 60_000
/** All watches of a cluster ask at once, and again while it fails: they get one answer. */
const KEEP_MILLISECONDS = 5_000

export interface PolledCredentialsOptions {
  /** @throws FleetError as `CredentialSource.read` */
  readonly read: (cluster: ClusterName) => Promise<ClusterCredentials>
  /** Of the fleet at this moment; others are not asked for again. */
  readonly clusters: () => Iterable<ClusterName>
  readonly clock: Clock
  readonly randomness: Randomness
  readonly intervalMilliseconds?: number
}

interface Known {
  readonly at: number
  readonly answer: Promise<ClusterCredentials>
  /** Of what was given out last: a version, or the code of an error. */
  readonly mark: Promise<string>
}

/** What is unavailable says nothing about the credentials. */
const UNAVAILABLE = 'credentials-unavailable'

export function pollCredentials(options: PolledCredentialsOptions): CredentialSource {
  const { clock, randomness, intervalMilliseconds = INTERVAL_MILLISECONDS } = options
  const known = new Map<ClusterName, Known>()
  const listeners = new Set<(cluster: ClusterName) => void>()
  const stop = new AbortController()
  function ask(cluster: ClusterName): Known {
    const answer = options.read(cluster)
    const before = known.get(cluster)?.mark
    const asked = { at: clock.monotonic(), answer, mark: markOf(answer, before) }
    known.set(cluster, asked)
    return asked
  }
  async function look(cluster: ClusterName, { mark }: Known): Promise<void> {
    const [before, after] = await Promise.all([mark, ask(cluster).mark])
    if (before !== after) for (const listener of listeners) listener(cluster)
  }
  async function poll(): Promise<void> {
    while (!stop.signal.aborted) {
      const pause = intervalMilliseconds * (0.75 + (randomness.bytes(1)[0] ?? 0) / 510)
      // An aborted pause is an ended pause.
      await clock.sleep(pause, stop.signal).catch(() => undefined)
      const present = new Set([CONTROL_CLUSTER, ...options.clusters()])
      for (const [cluster, last] of known) {
        if (stop.signal.aborted) return
        if (present.has(cluster)) await look(cluster, last)
        else known.delete(cluster)
      }
    }
  }
  const polling = poll()
  return {
    async read(cluster) {
      const last = known.get(cluster)
      if (last !== undefined && clock.monotonic() - last.at < KEEP_MILLISECONDS) return await last.answer
      return await ask(cluster).answer
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    async close() {
      stop.abort()
      await polling
    },
  }
}

async function markOf(
  answer: Promise<ClusterCredentials>,
  before: Promise<string> | undefined,
): Promise<string> {
  try {
    const found = await answer
    return found.source === 'eks'
      ? `eks ${found.clusterName} ${found.region} ${found.roleArn ?? ''}`
      : `kubeconfig ${found.version}`
  } catch (error) {
    const code = isFleetError(error) ? error.code : 'internal'
    return code === UNAVAILABLE && before !== undefined ? await before : code
  }
}
