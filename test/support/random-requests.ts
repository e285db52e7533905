/** Requests of every kind, as plain data, and the transactions they are: for properties over whole histories. */
import fc from 'fast-check'
import type { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Id } from '../../src/fleet/ids.ts'
import { clusterState, installationState, type Seen, waitingReason } from '../../src/fleet/state.ts'
import type { Transaction } from '../../src/fleet/transaction.ts'
import {
  annotateCluster,
  lockCluster,
  updateCluster,
} from '../../src/fleet/transactions/clusters/clusters.ts'
import { deleteCluster, provisionCluster } from '../../src/fleet/transactions/clusters/lifecycle.ts'
import {
  annotateGroup,
  deleteGroup,
  lockGroup,
  updateGroup,
} from '../../src/fleet/transactions/groups/groups.ts'
import {
  addInstallationAnnotations,
  deleteInstallationAnnotation,
} from '../../src/fleet/transactions/installations/annotations.ts'
import type { StateOf } from '../../src/fleet/transactions/installations/common.ts'
import { createInstallation } from '../../src/fleet/transactions/installations/create.ts'
import {
  cancelDeletion,
  moveDeletionExpiry,
  removeUnplaced,
  requestDeletion,
  scheduleDeletion,
} from '../../src/fleet/transactions/installations/deletion.ts'
import {
  addDnsName,
  deleteDnsName,
  setPrimaryDnsName,
} from '../../src/fleet/transactions/installations/dns.ts'
import { assignGroup, joinGroup, leaveGroup } from '../../src/fleet/transactions/installations/groups.ts'
import {
  hibernateInstallation,
  lockInstallation,
  retryInstallation,
  wakeUpInstallation,
} from '../../src/fleet/transactions/installations/lifecycle.ts'
import { updateInstallation } from '../../src/fleet/transactions/installations/update.ts'
import { addVolume, deleteVolume, updateVolume } from '../../src/fleet/transactions/installations/volumes.ts'
import { placeWaiting } from '../../src/fleet/transactions/requests.ts'
import { id } from './intents.ts'

export const CLUSTERS = { a: id(900), b: id(901) } as const
export const GROUPS = { 'ring-1': id(910), 'ring-2': id(911) } as const
export const NOW = Date.UTC(2026, 10, 23, 9)
const POOL = {
  minPoolSize: 1,
  defaultPoolSize: 5,
  reservePoolSize: 10,
  maxClientConnections: 25_000,
  maxDatabaseConnectionsPerPool: 50,
  serverIdleTimeout: 30,
  serverLifetime: 300,
  serverResetQueryAlways: 0,
}

export const REQUEST_KINDS = [
  'create',
  'update',
  'annotate',
  'take annotation',
  'join',
  'assign',
  'leave',
  'lock',
  'lock deletion',
  'retry',
  'hibernate',
  'wake up',
  'delete',
  'cancel deletion',
  'move deletion',
  'schedule deletion',
  'remove',
  'place',
  'add name',
  'set primary',
  'delete name',
  'add volume',
  'change volume',
  'delete volume',
  'change group',
  'annotate group',
  'lock group',
  'delete group',
  'change cluster',
  'annotate cluster',
  'lock cluster',
  'provision cluster',
  'delete cluster',
] as const
export type RequestKind = (typeof REQUEST_KINDS)[number]

export interface RandomRequest {
  readonly kind: RequestKind
  /** Which installation. */
  readonly number: number
  readonly cluster: keyof typeof CLUSTERS
  readonly group: keyof typeof GROUPS
  readonly flag: boolean
  readonly text: string
  readonly affinity: 'isolated' | 'multitenant'
  readonly database: 'cloudnative-pg' | 'aws-multitenant-rds-postgres-pgbouncer'
  readonly annotations: readonly string[]
  /** Everything asked for until now has been done before this comes in. */
  readonly settled: boolean
}

export function randomRequest(
  kinds: readonly RequestKind[] = REQUEST_KINDS,
  numbers: readonly number[] = [1, 2, 3, 4, 5, 6],
): fc.Arbitrary<RandomRequest> {
  return fc.record({
    kind: fc.constantFrom(...kinds),
    number: fc.constantFrom(...numbers),
    cluster: fc.constantFrom('a', 'b'),
    group: fc.constantFrom('ring-1', 'ring-2'),
    flag: fc.boolean(),
    text: fc.constantFrom('11.1.0', '11.2.0', '11.3.0'),
    affinity: fc.constantFrom('multitenant', 'multitenant', 'isolated'),
    database: fc.constantFrom('cloudnative-pg', 'aws-multitenant-rds-postgres-pgbouncer'),
    annotations: fc.constantFrom([], [], ['eu-only']),
    settled: fc.boolean(),
  })
}

/** What people do one after another with one installation; each is done before the next comes in. */
const STORIES: readonly (readonly RequestKind[])[] = [
  ['create', 'update', 'add name', 'set primary', 'update'],
  ['add name', 'delete name'],
  ['create', 'hibernate', 'wake up', 'hibernate', 'delete', 'cancel deletion'],
  ['create', 'schedule deletion', 'delete', 'move deletion', 'cancel deletion'],
  ['add volume', 'change volume', 'delete volume'],
  ['create', 'join', 'change group', 'leave'],
  ['create', 'delete', 'remove'],
  ['create', 'retry'],
  ['create', 'annotate cluster', 'place'],
]

const alone = randomRequest().map((request) => [request])
const story = fc
  .record({ request: randomRequest(), kinds: fc.constantFrom(...STORIES), waits: fc.boolean() })
  .map(({ request, kinds, waits }) =>
    kinds.map((kind): RandomRequest => {
      // Cluster `a` gets the annotation late, so that somebody has waited for it.
      const annotations = waits ? ['late-one'] : []
      const settled = kind !== 'retry'
      return { ...request, kind, annotations, cluster: 'a', flag: kind !== 'create', settled }
    }),
  )

/** Requests of all kinds, many of them about what is there. */
export const randomHistory: fc.Arbitrary<readonly RandomRequest[]> = fc
  .array(fc.oneof({ weight: 2, arbitrary: story }, { weight: 3, arbitrary: alone }), {
    minLength: 10,
    maxLength: 30,
  })
  .map((parts) => parts.flat())

/** What the world looks like after everything that was asked for. */
const DONE: Readonly<Record<string, string>> = {
  hibernation: 'hibernating',
  'deletion-pending': 'deletion-pending',
  deletion: 'deletion-in-progress',
}

/** What was observed of the world, for the states that decide what may be asked for. */
export class World {
  readonly #seen = new Map<Id, Seen>()
  readonly stateOf: StateOf = (fleet, installation) =>
    installationState(
      installation,
      this.#seen.get(installation.metadata.id),
      waitingReason(fleet, installation.metadata.id),
    )

  readonly clusterStateOf = (cluster: Parameters<typeof clusterState>[0]): string =>
    clusterState(cluster, this.#seen.get(cluster.metadata.id))

  /** Placed installations and clusters become what was asked for. */
  settle(fleet: FleetIndex): void {
    const placed = fleet.installations().filter(({ spec }) => spec.placement !== undefined)
    for (const { metadata, spec } of [...placed, ...fleet.clusters()]) {
      const { kind, generation } = spec.operation
      this.#seen.set(metadata.id, { state: DONE[kind] ?? 'stable', generation })
    }
  }
}

/** @param step makes new ids */
export function transactionOf(request: RandomRequest, world: World, step: number): Transaction<unknown> {
  const { number, flag } = request
  const target = { id: id(number), stateOf: world.stateOf }
  switch (request.kind) {
    case 'create':
      return creation(request, step)
    case 'update':
      return updateInstallation({
        ...target,
        patch: { version: request.text, env: flag ? 'clear' : { STEP: { value: String(step) } } },
      })
    case 'annotate':
      return addInstallationAnnotations({ id: target.id, names: ['eu-only'] })
    case 'take annotation':
      return deleteInstallationAnnotation({ id: target.id, name: 'eu-only' })
    case 'join':
      return joinGroup({ id: target.id, group: GROUPS[request.group] })
    case 'assign':
      return assignGroup({ id: target.id, annotations: request.annotations })
    case 'leave':
      return leaveGroup({ ...target, retain: flag })
    case 'lock':
      return lockInstallation({ id: target.id, lock: 'apiLocked', locked: flag })
    case 'lock deletion':
      return lockInstallation({ id: target.id, lock: 'deletionLocked', locked: flag })
    case 'retry':
      return retryInstallation(target)
    case 'hibernate':
      return hibernateInstallation(target)
    case 'wake up':
      return wakeUpInstallation({ ...target, patch: flag ? { version: request.text } : {} })
    case 'delete':
      return requestDeletion(target)
    case 'cancel deletion':
      return cancelDeletion(target)
    case 'move deletion':
      return moveDeletionExpiry({ ...target, expiresAt: flag ? NOW + 60_000 : undefined })
    case 'schedule deletion':
      return scheduleDeletion({ id: target.id, at: flag ? NOW + 600_000 : 0 })
    case 'remove':
      return removeUnplaced({ id: target.id })
    case 'place':
      return placeWaiting({ id: target.id, ids: [id(10_000 + step), id(20_000 + step)], now: NOW })
    case 'add name':
      return addDnsName({
        ...target,
        dnsId: id(50 + number),
        name: `${flag ? 'chat' : `own-${number}`}.example.com`,
      })
    case 'set primary':
      return setPrimaryDnsName({ ...target, dnsId: id(50 + number) })
    case 'delete name':
      return deleteDnsName({ ...target, dnsId: id(50 + number) })
    default:
      return otherTransaction(request, world, step)
  }
}

function otherTransaction(request: RandomRequest, world: World, step: number): Transaction<unknown> {
  const { number, flag } = request
  const target = { id: id(number), stateOf: world.stateOf }
  const group = { id: GROUPS[request.group] }
  const cluster = { id: CLUSTERS[request.cluster], stateOf: world.clusterStateOf }
  const volume = {
    type: 'secret' as const,
    mountPath: flag ? '/certs' : '/other',
    readOnly: true,
    secret: { key: `installations/${id(number)}/volume-certs-${String(step).padStart(12, '0')}` },
    backingSecret: `installation-secret-${step}`,
  }
  switch (request.kind) {
    case 'add volume':
      return addVolume({ ...target, name: flag ? 'certs' : 'other', volume })
    case 'change volume':
      return updateVolume({ ...target, name: 'certs', patch: { readOnly: flag } })
    case 'delete volume':
      return deleteVolume({ ...target, name: 'certs' })
    case 'change group':
      return updateGroup({
        ...group,
        ...(flag ? { version: request.text } : { maxRolling: step }),
        forceSequenceUpdate: false,
        forceRestart: false,
      })
    case 'annotate group':
      return annotateGroup(flag ? { ...group, add: ['eu-only'] } : { ...group, remove: 'eu-only' })
    case 'lock group':
      return lockGroup({ ...group, locked: flag })
    case 'delete group':
      return deleteGroup(group)
    case 'change cluster':
      return updateCluster({ id: cluster.id, allowInstallations: flag })
    case 'annotate cluster':
      return annotateCluster(
        flag
          ? { id: cluster.id, add: [request.annotations[0] ?? 'eu-only'] }
          : { id: cluster.id, remove: request.text === '11.1.0' ? 'eu-only' : 'late-one' },
      )
    case 'lock cluster':
      return lockCluster({ id: cluster.id, locked: flag })
    case 'provision cluster':
      return provisionCluster({
        ...cluster,
        utilities: undefined,
        pgbouncer: flag ? { defaultPoolSize: step } : {},
        defaults: POOL,
        reapply: undefined,
      })
    default:
      return deleteCluster(cluster)
  }
}

function creation(request: RandomRequest, step: number): Transaction<unknown> {
  const { number, group, flag, annotations, text, affinity, database } = request
  const name = `acme-${number}`
  return createInstallation({
    id: id(number),
    clusterInstallationId: id(10_000 + step),
    logicalDatabaseId: id(20_000 + step),
    name,
    dns: [{ id: id(100 + number), name: `${name}.example.com` }],
    annotations,
    ...(flag ? { group: { id: GROUPS[group] } } : {}),
    placement: 'now',
    spec: {
      owner: 'owner',
      version: text,
      image: 'mattermost/mattermost-enterprise-edition',
      size: '100users',
      affinity,
      database: { kind: database },
      filestore: { kind: 'local-ephemeral' },
    },
  })
}
