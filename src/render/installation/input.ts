/** Everything the manifests of one installation are made of. */
import { type EffectiveConfiguration, effectiveConfiguration } from '../../fleet/configuration.ts'
import { type DeletionPhase, deletionPhase, staysOnCluster } from '../../fleet/deletion.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { AwsSettings, Cluster, FleetSettings, Installation, Tombstone } from '../../fleet/intents.ts'
import type { TemplateSet } from '../template-set.ts'

export interface RenderInput {
  readonly fleet: Fleet
  readonly settings: FleetSettings['spec']
  readonly cluster: Cluster
  readonly installation: Installation
  readonly configuration: EffectiveConfiguration
  readonly templates: TemplateSet
  readonly phase: DeletionPhase
  readonly tombstone: Tombstone | undefined
}

/** @throws FleetError `internal` when the index lost the cluster */
export function renderInput(templates: TemplateSet, fleet: Fleet, installation: Installation): RenderInput {
  const name = installation.spec.placement?.cluster ?? ''
  const cluster = fleet.cluster(name)
  if (cluster === undefined)
    throw new FleetError(
      'internal',
      `Installation ${installation.metadata.id} is on the unknown cluster ${name}.`,
    )
  const configuration = effectiveConfiguration(fleet, installation, 'rendered')
  const tombstone = fleet.tombstone(installation.metadata.id)
  const phase = deletionPhase(installation, tombstone)
  const { settings } = fleet
  return {
    ...{ fleet, settings: settings.spec, cluster, installation, configuration, templates },
    ...{ phase, tombstone },
  }
}

/** @throws FleetError `invalid-document` when the fleet has no AWS */
export function requireAws({ settings, installation }: RenderInput): AwsSettings {
  if (settings.aws !== undefined) return settings.aws
  const { database, filestore } = installation.spec
  throw new FleetError(
    'invalid-document',
    `${database.kind} with ${filestore.kind} needs AWS; add spec.aws to fleet.yaml.`,
  )
}

/** Tags of everything on AWS. */
export function tagsOf({ installation, settings }: RenderInput): Readonly<Record<string, string>> {
  return {
    'fleetwright.dev/environment': settings.environment,
    'fleetwright.dev/installation': installation.metadata.id,
  }
}

/** How data is guarded, for templates. */
export interface Protection {
  /** Neither engine prunes the object. */
  readonly protected: boolean
  /** Deleting the object deletes what it stands for. */
  readonly dataGoes: boolean
  readonly deletionProtection: boolean
  readonly forceDestroy: boolean
}

export function protectionOf(
  { phase, tombstone }: Pick<RenderInput, 'phase' | 'tombstone'>,
  data: 'database' | 'filestore',
): Protection {
  const leaves = phase !== 'lives' && tombstone !== undefined
  const kept = !leaves || tombstone.spec.keep[data]
  return {
    protected: !leaves || (data === 'database' && staysOnCluster(tombstone)),
    dataGoes: !kept,
    deletionProtection: kept,
    forceDestroy: !kept,
  }
}
