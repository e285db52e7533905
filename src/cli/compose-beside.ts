/** What is asked beside the clusters: AWS, and the workspaces themselves. Each only when a setting says so. */
import type { Configuration } from '../configuration/settings.ts'
import type { Installation, InstallationOperation } from '../fleet/intents.ts'
import { createHttpPing } from '../ping/http-ping.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type CloudSweep, startCloudSweep } from '../reconcile/cloud-sweep.ts'
import type { ObservationMetrics } from '../reconcile/observation-metrics.ts'
import type { Beside, Observer } from '../reconcile/observer.ts'
import { type Pinger, startPinger } from '../reconcile/pinger.ts'

const GOING: readonly InstallationOperation[] = ['deletion', 'deletion-pending']

export interface BesideOptions {
  readonly configuration: Configuration
  readonly writer: FleetWriter
  readonly clock: Clock
  readonly randomness: Randomness
  readonly observer: Pick<Observer, 'installation' | 'touch'>
  readonly onError: (error: unknown) => void
  readonly metrics: Pick<ObservationMetrics, 'askedCloud' | 'pinged'>
}

export interface RunningBeside extends Beside {
  close(): Promise<void>
}

export async function composeBeside(options: BesideOptions): Promise<RunningBeside> {
  const sweep = await openSweep(options)
  const pinger = openPinger(options)
  return {
    ofInstallation(installation) {
      const ping = pinger?.of(installation.metadata.id)
      const resources = sweep?.ofInstallation(installation) ?? []
      return { resources, ...(ping === undefined ? {} : { ping }) }
    },
    ofCluster: (cluster) => sweep?.ofCluster(cluster) ?? [],
    async close() {
      await pinger?.close()
      await sweep?.close()
    },
  }
}

async function openSweep(options: BesideOptions): Promise<CloudSweep | undefined> {
  const { configuration, writer, clock, randomness, observer, onError, metrics } = options
  if (configuration['aws-observation'] === 'off') return undefined
  // The libraries are loaded by those who ask AWS only.
  const { openCloud } = await import('../aws/cloud.ts')
  const endpoint = configuration['aws-endpoint']
  return startCloudSweep({
    writer,
    clock,
    intervalMilliseconds: Number(configuration['aws-observation-seconds']) * 1_000,
    open: ({ region, accountId }) =>
      openCloud({
        region: configuration['aws-region'] ?? region,
        accountId,
        clock,
        randomness,
        ...(endpoint === undefined ? {} : { endpoint }),
      }),
    onChange: (id) => observer.touch(id),
    onError,
    onPass: metrics.askedCloud,
  })
}

function openPinger(options: BesideOptions): Pinger | undefined {
  const { configuration, writer, clock, randomness, observer, onError, metrics } = options
  const perSecond = Number(configuration['ping-per-second'])
  if (perSecond === 0) return undefined
  return startPinger({
    writer,
    ping: createHttpPing(),
    clock,
    randomness,
    perSecond,
    isRunning: (installation) => isRunning(installation, observer),
    onChange: (id) => observer.touch(id),
    onError,
    onPing: metrics.pinged,
  })
}

/** It is to answer: nothing is under way, and it neither sleeps nor goes. */
function isRunning({ metadata, spec }: Installation, observer: Pick<Observer, 'installation'>): boolean {
  if (spec.hibernated === true || GOING.includes(spec.operation.kind)) return false
  return observer.installation(metadata.id)?.verdict.completed === true
}
