/** Everything that can be asked of an index, as plain data: two indexes that answer the same are the same. */
import type { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Installation } from '../../src/fleet/intents.ts'

export function answersOf(index: FleetIndex): unknown {
  const ids = (found: readonly Installation[]): readonly string[] =>
    found.map(({ metadata }) => metadata.id).sort()
  const installations = index.installations()
  return {
    settings: index.settings,
    intents: [...index.intents()].sort(([a], [b]) => (a < b ? -1 : 1)),
    installations,
    count: index.installationCount(),
    paths: installations.map(({ metadata }) => index.pathOf(metadata.id)),
    byName: installations.map(({ metadata }) => index.installationByName(metadata.name)?.metadata.id),
    byDns: installations.flatMap(({ spec }) =>
      spec.dns.map(({ name }) => [name, index.installationByDns(name)?.metadata.id]),
    ),
    byDeployment: installations.flatMap(({ spec }) =>
      (spec.clusterInstallations ?? []).map(({ id }) => index.installationByDeployment(id)?.metadata.id),
    ),
    waiting: [index.waitingCount(), ids(index.waiting())],
    newRequests: [...index.newRequests().keys()].sort(),
    tombstones: index.tombstones(),
    clusters: index
      .clusters()
      .map(({ metadata }) => [
        metadata,
        index.occupancy(metadata.name),
        ids(index.installationsOn(metadata.name)),
        index.clusterById(metadata.id)?.metadata.name,
      ]),
    groups: index
      .groups()
      .map(({ metadata }) => [
        metadata,
        index.memberCount(metadata.name),
        ids(index.installationsIn(metadata.name)),
      ]),
    databases: index.databases().map(({ metadata, spec }) => {
      const { installations: used, weight, byLogicalDatabase } = index.usage(metadata.name)
      const there = index.databasesIn(spec.vpc).map((database) => database.metadata.id)
      return [
        metadata,
        used,
        weight,
        [...byLogicalDatabase].sort(),
        ids(index.installationsUsing(metadata.name)),
        there.sort(),
      ]
    }),
  }
}
