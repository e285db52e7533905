/** Requests in their short and their full form. */
import type { Id } from './ids.ts'
import {
  API_VERSION,
  type DatabaseIntent,
  type DatabaseKind,
  type DnsName,
  type FilestoreIntent,
  type FilestoreKind,
  type FleetSettings,
  type Installation,
  type InstallationRequest,
  type InstallationSpec,
  type Timestamp,
} from './intents.ts'

/** The installation that waits in a request; undefined when nobody has acknowledged it yet (no id). */
export function installationOf(
  request: InstallationRequest,
  settings: FleetSettings,
): Installation | undefined {
  const { id, createdAt } = request.metadata
  if (id === undefined || createdAt === undefined) return undefined
  return completed(request, settings, { id, createdAt, dnsIds: [] })
}

/** What a request leaves open and the completion of it decides. */
export interface Completion {
  readonly id: Id
  readonly createdAt: Timestamp
  /** For DNS names without one. */
  readonly dnsIds: readonly Id[]
}

/** The installation that a request asks for: short forms spelled out, the rest from the fleet's defaults. */
export function completed(
  request: InstallationRequest,
  settings: FleetSettings,
  completion: Completion,
): Installation {
  const { id, createdAt } = completion
  const { metadata } = request
  const { waitingFor: _, dns, database, filestore, ...given } = request.spec
  const { defaults, templateSet } = settings.spec
  const spec: InstallationSpec = {
    ...given,
    version: given.version ?? defaults.version,
    image: given.image ?? defaults.image,
    size: given.size ?? defaults.size,
    affinity: given.affinity ?? defaults.affinity,
    dns: dnsNames(dns ?? [], request, settings, completion),
    database: databaseOf(database ?? defaults.database),
    filestore: filestoreOf(filestore ?? defaults.filestore),
    templateSet: given.templateSet ?? templateSet,
    operation: given.operation ?? { kind: 'creation', generation: 1, requestedAt: createdAt },
  }
  const annotations =
    metadata.annotations === undefined ? {} : { annotations: [...metadata.annotations].sort() }
  return {
    apiVersion: API_VERSION,
    kind: 'Installation',
    metadata: { id, name: metadata.name, createdAt, ...annotations },
    spec,
  }
}

/** A request document that holds a whole installation while it waits for a cluster. */
export function requestOf(installation: Installation, waitingFor: string | undefined): InstallationRequest {
  const { placement: _placement, clusterInstallations: _clusterInstallations, ...spec } = installation.spec
  return {
    apiVersion: API_VERSION,
    kind: 'InstallationRequest',
    metadata: installation.metadata,
    spec: waitingFor === undefined ? spec : { ...spec, waitingFor },
  }
}

function dnsNames(
  given: readonly (string | DnsName)[],
  request: InstallationRequest,
  settings: FleetSettings,
  { id, createdAt, dnsIds }: Completion,
): readonly DnsName[] {
  const names = given.length > 0 ? given : [`${request.metadata.name}.${settings.spec.domain}`]
  return names.map((entry, at) => {
    if (typeof entry !== 'string') return entry
    const primary = at === 0 ? { primary: true } : {}
    return { id: dnsIds[at] ?? id, name: entry.toLowerCase(), ...primary, createdAt }
  })
}

function databaseOf(given: DatabaseKind | DatabaseIntent): DatabaseIntent {
  return typeof given === 'string' ? { kind: given } : given
}

function filestoreOf(given: FilestoreKind | FilestoreIntent): FilestoreIntent {
  return typeof given === 'string' ? { kind: given } : given
}
