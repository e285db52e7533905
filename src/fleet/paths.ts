/** Layout version 1 of the fleet repository: the only place that knows where a file is. */
import type { FleetPath, Id } from './ids.ts'
import type { EngineName, Intent, Slug, UtilityName } from './intents.ts'

export const FLEET_PATH = 'fleet.yaml' as FleetPath

export function shardOf(id: Id): string {
  return id.slice(0, 1)
}

export function clusterFolder(cluster: Slug): string {
  return `clusters/${cluster}`
}

export function clusterPath(cluster: Slug): FleetPath {
  return `clusters/${cluster}/cluster.yaml` as FleetPath
}

export function groupPath(group: Slug): FleetPath {
  return `groups/${group}.yaml` as FleetPath
}

export function databasePath(database: Slug): FleetPath {
  return `databases/${database}.yaml` as FleetPath
}

/** Requests made by the API are named by their id; a person may use any name. */
export function requestPath(id: Id): FleetPath {
  return `requests/${id}.yaml` as FleetPath
}

export function installationFolder(cluster: Slug, id: Id): string {
  return `clusters/${cluster}/installations/${shardOf(id)}/${id}`
}

export function installationPath(cluster: Slug, id: Id): FleetPath {
  return `${installationFolder(cluster, id)}/installation.yaml` as FleetPath
}

export function manifestPath(cluster: Slug, id: Id): FleetPath {
  return `${installationFolder(cluster, id)}/manifest.yaml` as FleetPath
}

export function tombstonePath(cluster: Slug, id: Id): FleetPath {
  return `clusters/${cluster}/tombstones/${shardOf(id)}/${id}.yaml` as FleetPath
}

/** Tombstones of installations that never had a cluster. */
export function unplacedTombstonePath(id: Id): FleetPath {
  return `requests/tombstones/${id}.yaml` as FleetPath
}

/** Below the folder of a cluster, applied on the control cluster: by what the engine installs charts and applies manifests. */
export const SYSTEM_CONTROL_FOLDER = 'system/control'
/** Below the folder of a cluster, applied on the cluster itself. */
export const SYSTEM_MANIFESTS_FOLDER = 'system/manifests'

export function systemFolder(cluster: Slug): string {
  return `clusters/${cluster}/system`
}

export function systemReadmePath(cluster: Slug): FleetPath {
  return `clusters/${cluster}/system/README.md` as FleetPath
}

export function systemControlPath(cluster: Slug, unit: UtilityName | 'manifests'): FleetPath {
  return `clusters/${cluster}/${SYSTEM_CONTROL_FOLDER}/${unit}.yaml` as FleetPath
}

export function systemManifestPath(cluster: Slug, unit: 'observer'): FleetPath {
  return `clusters/${cluster}/${SYSTEM_MANIFESTS_FOLDER}/${unit}.yaml` as FleetPath
}

export function infraFolder(cluster: Slug): string {
  return `clusters/${cluster}/infra`
}

export function controlPath(engine: EngineName, cluster: Slug): FleetPath {
  return `control/${engine}/${cluster}.yaml` as FleetPath
}

/** What makes an engine follow its control folder. No cluster has this name: slugs begin with a letter or digit. */
export function fleetControlPath(engine: EngineName): FleetPath {
  return `control/${engine}/_fleet.yaml` as FleetPath
}

/** For people to put where the engine reads it; no engine applies this folder. */
export function healthChecksPath(engine: EngineName): FleetPath {
  return `control/health-checks/${engine}.yaml` as FleetPath
}

export type PathRole =
  | {
      readonly role: 'intent'
      readonly kind: Intent['kind']
      readonly cluster?: Slug
      readonly name?: string
    }
  | {
      readonly role: 'rendered'
      readonly cluster?: Slug
      readonly unit: 'installation' | 'system' | 'infra' | 'control'
      readonly id?: Id
    }
  | { readonly role: 'other' }

const PATTERNS: readonly (readonly [RegExp, (match: RegExpMatchArray) => PathRole])[] = [
  [/^fleet\.yaml$/, () => ({ role: 'intent', kind: 'Fleet' })],
  [/^groups\/([^/]+)\.yaml$/, (m) => ({ role: 'intent', kind: 'Group', name: m[1] })],
  [/^databases\/([^/]+)\.yaml$/, (m) => ({ role: 'intent', kind: 'SharedDatabase', name: m[1] })],
  [/^requests\/tombstones\/([^/]+)\.yaml$/, (m) => ({ role: 'intent', kind: 'Tombstone', name: m[1] })],
  [/^requests\/([^/]+)\.yaml$/, (m) => ({ role: 'intent', kind: 'InstallationRequest', name: m[1] })],
  [
    /^clusters\/([^/]+)\/cluster\.yaml$/,
    (m) => ({ role: 'intent', kind: 'Cluster', cluster: m[1], name: m[1] }),
  ],
  [
    /^clusters\/([^/]+)\/installations\/([^/]+)\/([^/]+)\/installation\.yaml$/,
    (m) => ({ role: 'intent', kind: 'Installation', cluster: m[1], name: m[3] }),
  ],
  [
    /^clusters\/([^/]+)\/installations\/([^/]+)\/([^/]+)\/manifest\.yaml$/,
    (m) => ({ role: 'rendered', cluster: m[1], unit: 'installation', id: m[3] as Id }),
  ],
  [
    /^clusters\/([^/]+)\/tombstones\/[^/]+\/([^/]+)\.yaml$/,
    (m) => ({ role: 'intent', kind: 'Tombstone', cluster: m[1], name: m[2] }),
  ],
  [/^clusters\/([^/]+)\/system\/.+/, (m) => ({ role: 'rendered', cluster: m[1], unit: 'system' })],
  [/^clusters\/([^/]+)\/infra\/.+/, (m) => ({ role: 'rendered', cluster: m[1], unit: 'infra' })],
  [/^control\/health-checks\/(?:argocd|flux)\.yaml$/, () => ({ role: 'rendered', unit: 'control' })],
  [/^control\/(?:argocd|flux)\/_fleet\.yaml$/, () => ({ role: 'rendered', unit: 'control' })],
  [
    /^control\/(?:argocd|flux)\/([^/]+)\.yaml$/,
    (m) => ({ role: 'rendered', cluster: m[1], unit: 'control' }),
  ],
]

/** What a path stands for. `other`: README files, CODEOWNERS, CI configuration; Fleetwright leaves them alone. */
export function roleOf(path: string): PathRole {
  for (const [pattern, role] of PATTERNS) {
    const match = path.match(pattern)
    if (match) return role(match)
  }
  return { role: 'other' }
}
