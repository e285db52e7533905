/**
 * Asks AWS about what the fleet needs of it, one pass an interval: what a pass costs follows the number of installations with
 * something on AWS. What cannot be asked is unknown, never missing.
 */
import { type FleetError, isFleetError } from '../fleet/errors.ts'
import type { Id } from '../fleet/ids.ts'
import type { AwsSettings, Cluster, Installation } from '../fleet/intents.ts'
import {
  absentHealth,
  bucketHealth,
  type CloudKind,
  type CloudResource,
  cloudResourcesOf,
  cloudResourcesOfCluster,
  databaseHealth,
  kubernetesHealth,
  unaskedHealth,
} from '../fleet/observed/cloud.ts'
import type { HealthReport } from '../fleet/observed/health.ts'
import type { ResourceSight } from '../fleet/observed/sight.ts'
import type { Clock } from '../ports/clock.ts'
import type { Cloud } from '../ports/cloud.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { startLoop } from './loop.ts'

export interface CloudSweepOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  /** Opens what is asked; called again when the settings of the fleet change. */
  readonly open: (aws: AwsSettings) => Cloud
  readonly clock: Clock
  readonly intervalMilliseconds: number
  /** What AWS says of something of this installation is another thing now. */
  readonly onChange: (id: Id) => void
  readonly onError: (error: unknown) => void
  readonly onPass: (seconds: number, result: CloudPass) => void
}

/** How many things were asked about, by whether AWS told. */
export interface CloudPass {
  readonly known: number
  readonly unknown: number
}

export interface CloudSweep {
  /** Of what was asked already. */
  ofInstallation(installation: Installation): readonly ResourceSight[]
  ofCluster(cluster: Cluster): readonly ResourceSight[]
  close(): Promise<void>
}

/** What is to be looked at, with those who are told. */
type Wanted = ReadonlyMap<string, { readonly resource: CloudResource; readonly tell: readonly Id[] }>

export function startCloudSweep(options: CloudSweepOptions): CloudSweep {
  const { writer, clock, onChange } = options
  const known = new Map<string, ResourceSight>()
  let open: { readonly aws: AwsSettings; readonly cloud: Cloud } | undefined
  function cloudOf(aws: AwsSettings): Cloud {
    if (open?.aws === aws) return open.cloud
    open?.cloud.close()
    open = { aws, cloud: options.open(aws) }
    return open.cloud
  }
  function learn(resource: CloudResource, tell: readonly Id[], report: HealthReport): void {
    const key = keyOf(resource)
    const before = known.get(key)
    if (before !== undefined && isSame(before.report, report)) return
    known.set(key, { ...resource, report, since: clock.now() })
    for (const id of tell) onChange(id)
  }
  async function run(signal: AbortSignal): Promise<void> {
    const { fleet } = writer
    const { aws } = fleet.settings.spec
    const wanted = aws === undefined ? new Map() : wantedOf(fleet)
    for (const key of known.keys()) if (!wanted.has(key)) known.delete(key)
    if (aws === undefined || wanted.size === 0) return
    const started = clock.monotonic()
    const pass = { known: 0, unknown: 0 }
    function note(resource: CloudResource, tell: readonly Id[], report: HealthReport): void {
      pass[report.health === 'unknown' ? 'unknown' : 'known'] += 1
      learn(resource, tell, report)
    }
    await look({ cloud: cloudOf(aws), wanted, learn: note, signal, region: aws.region })
    options.onPass((clock.monotonic() - started) / 1_000, pass)
  }
  const loop = startLoop({
    clock,
    interval: options.intervalMilliseconds,
    // What is cut off by the end of the process is no error.
    run: (signal) =>
      run(signal).catch((error: unknown) => (signal.aborted ? undefined : options.onError(error))),
    onError: options.onError,
  })
  function sightsOf(resources: readonly CloudResource[]): readonly ResourceSight[] {
    return resources.flatMap((resource) => known.get(keyOf(resource)) ?? [])
  }
  return {
    ofInstallation: (installation) => sightsOf(cloudResourcesOf(writer.fleet, installation)),
    ofCluster: (cluster) => sightsOf(cloudResourcesOfCluster(cluster)),
    async close() {
      await loop.close()
      open?.cloud.close()
    },
  }
}

/** What cannot be asked says so in other words each time: the request is named. */
function isSame(before: HealthReport, after: HealthReport): boolean {
  if (before.health !== after.health || before.reason !== after.reason) return false
  return after.health === 'unknown' || before.message === after.message
}

function keyOf({ kind, name }: CloudResource): string {
  return `${kind}/${name}`
}

/** Shared ones are asked once. */
function wantedOf(fleet: FleetWriter['fleet']): Wanted {
  const wanted = new Map<string, { readonly resource: CloudResource; readonly tell: Id[] }>()
  function want(resource: CloudResource, id?: Id): void {
    const key = keyOf(resource)
    const entry = wanted.get(key) ?? { resource, tell: [] }
    if (id !== undefined) entry.tell.push(id)
    wanted.set(key, entry)
  }
  for (const installation of fleet.installations()) {
    if (installation.spec.placement === undefined) continue
    for (const resource of cloudResourcesOf(fleet, installation)) want(resource, installation.metadata.id)
  }
  for (const cluster of fleet.clusters())
    for (const resource of cloudResourcesOfCluster(cluster)) want(resource)
  return wanted
}

interface Look {
  readonly cloud: Cloud
  readonly wanted: Wanted
  readonly learn: (resource: CloudResource, tell: readonly Id[], report: HealthReport) => void
  readonly signal: AbortSignal
  readonly region: string
}

async function look(parts: Look): Promise<void> {
  const { cloud, signal } = parts
  await lookAtDatabases(parts)
  await lookAtEach(parts, 'AWS S3 bucket', async (name) => {
    const facts = await cloud.bucket(name, signal)
    return facts === undefined ? undefined : bucketHealth(facts)
  })
  await lookAtEach(parts, 'AWS EKS cluster', async (name) => {
    const facts = await cloud.kubernetes(name, signal)
    return facts === undefined ? undefined : kubernetesHealth(facts)
  })
}

/** Listed in pages; only a list that is complete tells that one is missing. */
async function lookAtDatabases({ cloud, wanted, learn, signal, region }: Look): Promise<void> {
  const open = new Map([...wanted].filter(([, { resource }]) => resource.kind === 'AWS RDS cluster'))
  if (open.size === 0) return
  let failure: FleetError | undefined
  try {
    for await (const page of cloud.databases(signal))
      for (const facts of page) {
        const key = keyOf({ kind: 'AWS RDS cluster', name: facts.name })
        const found = open.get(key)
        open.delete(key)
        if (found !== undefined) learn(found.resource, found.tell, databaseHealth(facts))
      }
  } catch (error) {
    failure = failureOf(error, signal)
  }
  for (const { resource, tell } of open.values())
    learn(
      resource,
      tell,
      failure === undefined ? absentHealth(resource, region) : unaskedHealth(failure.message),
    )
}

async function lookAtEach(
  { wanted, learn, signal, region }: Look,
  kind: CloudKind,
  ask: (name: string) => Promise<HealthReport | undefined>,
): Promise<void> {
  for (const { resource, tell } of wanted.values()) {
    if (resource.kind !== kind) continue
    try {
      learn(resource, tell, (await ask(resource.name)) ?? absentHealth(resource, region))
    } catch (error) {
      learn(resource, tell, unaskedHealth(failureOf(error, signal).message))
    }
  }
}

/** @throws the error itself when it is none of AWS, or the process ends */
function failureOf(error: unknown, signal: AbortSignal): FleetError {
  if (signal.aborted || !isFleetError(error)) throw error
  return error
}
