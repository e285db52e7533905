/** Gauges of the fleet, computed when they are asked for, at most once a second. */
import { Gauge, type Registry } from 'prom-client'
import type { Contact } from '../fleet/observed/sight.ts'
import type { Clock } from '../ports/clock.ts'
import { CONTROL_CLUSTER } from '../ports/clusters.ts'
import type { DeliveryBacklog, FleetStore } from '../ports/store.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { countFleet, type FigureParts, type FleetFigures, type Numbers } from './fleet-figures.ts'

export interface FleetMetricsParts extends FigureParts {
  readonly writer: Pick<FleetWriter, 'fleet' | 'contact'>
  readonly store: Pick<FleetStore, 'backlog'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

const KEEP_MILLISECONDS = 1_000

export function registerFleetMetrics(registry: Registry, parts: FleetMetricsParts): void {
  registerInstallations(registry, parts)
  registerClusters(registry, parts)
  registerRepository(registry, parts)
  registerDeliveries(registry, parts)
}

/** All gauges of one scrape come from the same pass. */
function keeper({ writer, clock, ...parts }: FleetMetricsParts): () => Promise<FleetFigures> {
  let kept: { readonly figures: Promise<FleetFigures>; readonly at: number } | undefined
  return () => {
    const at = clock.monotonic()
    if (kept === undefined || at - kept.at > KEEP_MILLISECONDS)
      kept = { figures: countFleet(writer.fleet, parts, clock.now()), at }
    return kept.figures
  }
}

function registerInstallations(registry: Registry, parts: FleetMetricsParts): void {
  const figures = keeper(parts)
  const registers = [registry]
  const byLabel = (
    name: string,
    help: string,
    label: string,
    of: (figures: FleetFigures) => Numbers,
  ): Gauge =>
    new Gauge({
      name,
      help,
      labelNames: ['cluster', label],
      registers,
      async collect() {
        const found = of(await figures())
        this.reset()
        for (const [cluster, row] of found)
          for (const [value, number] of row) this.set({ cluster, [label]: value }, number)
      },
    })
  byLabel(
    'fleetwright_installations',
    'Installations by cluster (empty: they wait for one) and state on the wire',
    'state',
    ({ states }) => states,
  )
  byLabel(
    'fleetwright_installation_health',
    'Installations by cluster and health',
    'health',
    ({ healths }) => healths,
  )
  byLabel(
    'fleetwright_drift',
    'Objects that are not what git says, by cluster and type',
    'type',
    ({ drift }) => drift,
  )
  new Gauge({
    name: 'fleetwright_installations_stuck',
    help: 'Installations whose operation has passed its deadline, by cluster',
    labelNames: ['cluster'],
    registers,
    async collect() {
      const { stuck } = await figures()
      this.reset()
      for (const [cluster, number] of stuck) this.set({ cluster }, number)
    },
  })
}

function registerClusters(registry: Registry, parts: FleetMetricsParts): void {
  const registers = [registry]
  const labelNames = ['cluster'] as const
  new Gauge({
    name: 'fleetwright_cluster_connected',
    help: '1: the API server of the cluster answers, 0: it does not, and what is known of it is old',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const [cluster, { connected }] of contacts(parts)) this.set({ cluster }, connected ? 1 : 0)
    },
  })
  new Gauge({
    name: 'fleetwright_cluster_contact_age_seconds',
    help: 'Since the API server of the cluster answered last; absent: it never did',
    labelNames,
    registers,
    collect() {
      this.reset()
      const now = parts.clock.now()
      for (const [cluster, { lastContact }] of contacts(parts))
        if (lastContact !== undefined) this.set({ cluster }, Math.max(0, now - lastContact) / 1000)
    },
  })
  new Gauge({
    name: 'fleetwright_cluster_fresh',
    help: '1: every watch of the cluster has its whole list and hears changes',
    labelNames,
    registers,
    collect() {
      this.reset()
      for (const { metadata } of parts.writer.fleet.clusters()) {
        const seen = parts.sights.cluster(metadata.name)
        if (seen !== undefined) this.set({ cluster: metadata.name }, seen.fresh ? 1 : 0)
      }
    },
  })
}

function* contacts({ writer, sights }: FleetMetricsParts): Iterable<readonly [string, Contact]> {
  for (const { metadata } of writer.fleet.clusters()) {
    const contact = sights.cluster(metadata.name)?.contact
    if (contact !== undefined) yield [metadata.name, contact]
  }
  const control = sights.control()
  // A fleet may have no control cluster; then nobody has credentials for one.
  if (control !== undefined && control.problem?.code !== 'credentials-missing')
    yield [CONTROL_CLUSTER, control]
}

function registerRepository(registry: Registry, { writer, clock }: FleetMetricsParts): void {
  const registers = [registry]
  new Gauge({
    name: 'fleetwright_repository_contact_age_seconds',
    help: 'Since the fleet repository answered last',
    registers,
    collect() {
      this.set(Math.max(0, clock.now() - writer.contact.at) / 1000)
    },
  })
  new Gauge({
    name: 'fleetwright_repository_trouble',
    help: '1: something keeps Fleetwright from writing to the fleet repository',
    registers,
    collect() {
      this.set(writer.contact.trouble === undefined ? 0 : 1)
    },
  })
}

function registerDeliveries(registry: Registry, parts: FleetMetricsParts): void {
  const backlog = backlogKeeper(parts)
  const { clock } = parts
  const figure = (name: string, help: string, of: (backlog: DeliveryBacklog) => number): Gauge =>
    new Gauge({
      name,
      help,
      registers: [registry],
      async collect() {
        const found = await backlog()
        this.set(found === undefined ? Number.NaN : of(found))
      },
    })
  figure('fleetwright_deliveries_open', 'Deliveries of events that are not made yet', ({ open }) => open)
  figure(
    'fleetwright_dead_letters',
    'Deliveries of events that were given up and can be played again',
    ({ dead }) => dead,
  )
  figure(
    'fleetwright_oldest_open_delivery_seconds',
    'Age of the oldest event that some receiver has not got yet',
    ({ oldestOpenAt }) => (oldestOpenAt === undefined ? 0 : Math.max(0, clock.now() - oldestOpenAt) / 1000),
  )
  new Gauge({
    name: 'fleetwright_store_up',
    help: '1: the store of observations and events answers',
    registers: [registry],
    async collect() {
      this.set((await backlog()) === undefined ? 0 : 1)
    },
  })
}

/** A store that does not answer takes no other figure with it. */
function backlogKeeper({
  store,
  clock,
  onError,
}: FleetMetricsParts): () => Promise<DeliveryBacklog | undefined> {
  let kept: { readonly answer: Promise<DeliveryBacklog | undefined>; readonly at: number } | undefined
  return () => {
    const at = clock.monotonic()
    if (kept === undefined || at - kept.at > KEEP_MILLISECONDS) {
      const answer = store.backlog().catch((error: unknown) => {
        onError(error)
        return undefined
      })
      kept = { answer, at }
    }
    return kept.answer
  }
}
