/** A new installation, placed at once when a cluster fits. */
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import { API_VERSION, type Group, type Installation, type InstallationSpec } from '../../intents.ts'
import { requireFreeNames } from '../../rules/names.ts'
import type { Transaction } from '../../transaction.ts'
import { type Settled, settle } from '../requests.ts'
import { timestamp } from './common.ts'

export interface CreateInstallation {
  readonly id: Id
  readonly clusterInstallationId: Id
  readonly logicalDatabaseId: Id
  /** First label of the primary DNS name, lower case. */
  readonly name: string
  /** First is primary. */
  readonly dns: readonly { readonly id: Id; readonly name: string }[]
  readonly annotations: readonly string[]
  /** One group by id, or the one that fits these annotations and has the fewest members. */
  readonly group?: { readonly id: Id } | { readonly annotations: readonly string[] }
  readonly placement: 'now' | 'deferred'
  readonly spec: Pick<
    InstallationSpec,
    | 'owner'
    | 'version'
    | 'image'
    | 'size'
    | 'affinity'
    | 'database'
    | 'filestore'
    | 'licence'
    | 'env'
    | 'priorityEnv'
    | 'podProbeOverrides'
    | 'command'
    | 'apiLocked'
    | 'deletionLocked'
    | 'deletion'
  >
}

export function createInstallation(input: CreateInstallation): Transaction<Settled> {
  return (fleet, context) => {
    const createdAt = timestamp(context.now)
    const group = input.group === undefined ? undefined : groupOf(fleet, input.group)
    const { name: groupName, sequence } = { name: group?.metadata.name, sequence: group?.spec.sequence }
    const spec: InstallationSpec = {
      ...(groupName === undefined || sequence === undefined
        ? {}
        : { group: groupName, groupSequence: sequence }),
      ...input.spec,
      dns: input.dns.map(({ id, name }, at) => ({
        id,
        name,
        ...(at === 0 ? { primary: true } : {}),
        createdAt,
      })),
      templateSet: group?.spec.templateSet ?? fleet.settings.spec.templateSet,
      operation: { kind: 'creation', generation: 1, requestedAt: createdAt },
    }
    const annotations = input.annotations.length === 0 ? {} : { annotations: [...input.annotations].sort() }
    const installation: Installation = {
      apiVersion: API_VERSION,
      kind: 'Installation',
      metadata: { id: input.id, name: input.name, createdAt, ...annotations },
      spec,
    }
    requireFreeNames(fleet, installation)
    const { clusterInstallationId, logicalDatabaseId, placement } = input
    const settled = settle(fleet, installation, {
      clusterInstallationId,
      logicalDatabaseId,
      now: createdAt,
      placement,
    })
    const trailers =
      group === undefined ? settled.text.trailers : { ...settled.text.trailers, Group: group.metadata.id }
    return { ...settled, text: { ...settled.text, trailers } }
  }
}

/** @throws FleetError `not-found`, and `invalid-request` for a deleted one */
function groupOf(fleet: Fleet, wanted: NonNullable<CreateInstallation['group']>): Group {
  return 'annotations' in wanted ? selectGroup(fleet, wanted.annotations) : requireLiveGroup(fleet, wanted.id)
}

/** @throws FleetError `not-found`, and `invalid-request` for a deleted one */
export function requireLiveGroup(fleet: Fleet, id: Id): Group {
  const group = fleet.groupById(id)
  if (group === undefined) throw new FleetError('not-found', `There is no group ${id}.`)
  const { deletedAt } = group.metadata
  if (deletedAt === undefined) return group
  throw new FleetError('invalid-request', `Group ${group.spec.displayName} was deleted at ${deletedAt}.`)
}

/** The group with all these annotations that has the fewest members. @throws FleetError `invalid-request` */
export function selectGroup(fleet: Fleet, annotations: readonly string[]): Group {
  const fitting = fleet
    .groups()
    .filter(({ metadata }) => metadata.deletedAt === undefined)
    .filter(({ metadata }) => annotations.every((name) => metadata.annotations?.includes(name)))
    .map((group) => ({ group, members: fleet.memberCount(group.metadata.name) }))
    .sort((a, b) => a.members - b.members)[0]
  if (fitting !== undefined) return fitting.group
  const detail = `No group has the annotations ${annotations.join(', ')}.`
  throw new FleetError('invalid-request', detail, {
    errors: [{ pointer: '/GroupSelectionAnnotations', detail }],
  })
}
