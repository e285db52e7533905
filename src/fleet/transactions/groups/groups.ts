/** Release rings: create, change, lock, delete. Members are not touched by a change of their group. */
import { isDeepStrictEqual } from 'node:util'
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import { API_VERSION, type Env, type Group, type GroupConfiguration } from '../../intents.ts'
import { groupPath } from '../../paths.ts'
import { slugFor } from '../../slugs.ts'
import type { Transaction, TransactionResult } from '../../transaction.ts'
import { type EnvPatch, patchEnv } from '../installations/update.ts'
import { changeLine, lines } from '../text.ts'

export interface CreateGroup {
  readonly id: Id
  readonly name: string
  readonly description: string
  readonly maxRolling: number
  readonly apiLocked: boolean
  readonly annotations: readonly string[]
  readonly configuration: GroupConfiguration
}

export function createGroup(input: CreateGroup): Transaction<Group> {
  return (fleet, context) => {
    requireFreeGroupName(fleet, input.name, input.id)
    const slug = slugFor(input.name, 'group', input.id, (name) => fleet.group(name) !== undefined)
    const group: Group = {
      apiVersion: API_VERSION,
      kind: 'Group',
      metadata: {
        id: input.id,
        name: slug,
        createdAt: new Date(context.now).toISOString(),
        ...(input.annotations.length === 0 ? {} : { annotations: [...input.annotations].sort() }),
      },
      spec: {
        displayName: input.name,
        ...(input.description === '' ? {} : { description: input.description }),
        ...input.configuration,
        maxRolling: input.maxRolling,
        sequence: 0,
        ...(input.apiLocked ? { apiLocked: true } : {}),
      },
    }
    const body = lines(
      group.spec.version ? `Version: ${group.spec.version}` : undefined,
      group.spec.image ? `Image: ${group.spec.image}` : undefined,
    )
    return result(group, undefined, `Create group ${input.name}`, body)
  }
}

export interface UpdateGroup {
  readonly id: Id
  readonly name?: string
  readonly description?: string
  readonly maxRolling?: number
  readonly version?: string
  readonly image?: string
  readonly env?: EnvPatch
  readonly scheduling?: GroupConfiguration['scheduling'] | null
  readonly forceSequenceUpdate: boolean
  readonly forceRestart: boolean
}

export function updateGroup(input: UpdateGroup): Transaction<Group> {
  return (fleet) => {
    const before = requireGroup(fleet, input.id)
    requireUnlockedGroup(before)
    if (input.name !== undefined) requireFreeGroupName(fleet, input.name, input.id)
    const sequence = before.spec.sequence + 1
    const configuration = configurationOf(before, input, sequence)
    const moved =
      input.forceSequenceUpdate ||
      input.forceRestart ||
      !isDeepStrictEqual(configuration, configurationIn(before.spec))
    const {
      version: _version,
      image: _image,
      env: _env,
      scheduling: _scheduling,
      previous: _previous,
      ...rest
    } = before.spec
    const previous = moved ? previousConfigurations(fleet, before) : before.spec.previous
    const after: Group = {
      ...before,
      spec: {
        ...rest,
        ...configuration,
        displayName: input.name ?? rest.displayName,
        ...(input.description === undefined ? {} : { description: input.description }),
        maxRolling: input.maxRolling ?? rest.maxRolling,
        sequence: moved ? sequence : rest.sequence,
        ...(previous === undefined || previous.length === 0 ? {} : { previous }),
      },
    }
    return result(
      after,
      before,
      `Update group ${before.spec.displayName}`,
      describeGroupUpdate(before, after),
    )
  }
}

function configurationOf(before: Group, input: UpdateGroup, sequence: number): GroupConfiguration {
  const restart: EnvPatch = {
    CLOUD_PROVISIONER_ENFORCED_RESTART: { value: `force-restart-at-sequence-${sequence - 1}` },
  }
  const patched = patchEnv(before.spec.env, input.env)
  const env: Env | undefined = input.forceRestart ? patchEnv(patched, restart) : patched
  const scheduling = input.scheduling === undefined ? before.spec.scheduling : (input.scheduling ?? undefined)
  return configurationIn({
    version: input.version ?? before.spec.version,
    image: input.image ?? before.spec.image,
    env,
    scheduling,
  })
}

export function configurationIn({
  version,
  image,
  env,
  scheduling,
}:
  | GroupConfiguration
  | {
      readonly [Name in keyof GroupConfiguration]: GroupConfiguration[Name] | undefined
    }): GroupConfiguration {
  return {
    ...(version === undefined || version === '' ? {} : { version }),
    ...(image === undefined || image === '' ? {} : { image }),
    ...(env === undefined ? {} : { env }),
    ...(scheduling === undefined ? {} : { scheduling }),
  }
}

/** The configurations that members still run, with the one that is replaced now. */
export function previousConfigurations(fleet: Fleet, group: Group): Group['spec']['previous'] {
  const pinned = new Set(fleet.installationsIn(group.metadata.name).map(({ spec }) => spec.groupSequence))
  const replaced = { sequence: group.spec.sequence, ...configurationIn(group.spec) }
  return [...(group.spec.previous ?? []), replaced].filter(({ sequence }) => pinned.has(sequence))
}

export function deleteGroup(input: { readonly id: Id }): Transaction<Group> {
  return (fleet, context) => {
    const before = requireGroup(fleet, input.id)
    requireUnlockedGroup(before)
    const members = fleet.memberCount(before.metadata.name)
    if (members > 0)
      throw new FleetError(
        'guarded',
        `Group ${before.spec.displayName} has ${members} installations; move them first.`,
      )
    const after = {
      ...before,
      metadata: { ...before.metadata, deletedAt: new Date(context.now).toISOString() },
    }
    return result(after, before, `Delete group ${before.spec.displayName}`, '')
  }
}

export function annotateGroup(input: {
  readonly id: Id
  readonly add?: readonly string[]
  readonly remove?: string
}): Transaction<Group> {
  return (fleet) => {
    const before = requireGroup(fleet, input.id)
    requireUnlockedGroup(before)
    const present = before.metadata.annotations ?? []
    const next = [...new Set([...present, ...(input.add ?? [])])]
      .filter((name) => name !== input.remove)
      .sort()
    const { annotations: _, ...metadata } = before.metadata
    const after = { ...before, metadata: next.length === 0 ? metadata : { ...metadata, annotations: next } }
    return result(
      after,
      before,
      `Annotate group ${before.spec.displayName}`,
      lines(changeLine('Annotations', present, next)),
    )
  }
}

export function lockGroup(input: { readonly id: Id; readonly locked: boolean }): Transaction<Group> {
  return (fleet) => {
    const before = requireGroup(fleet, input.id)
    const { apiLocked: _, ...spec } = before.spec
    const after: Group = { ...before, spec: input.locked ? { ...spec, apiLocked: true } : spec }
    return result(after, before, `${input.locked ? 'Lock' : 'Unlock'} group ${before.spec.displayName}`, '')
  }
}

/** @throws FleetError `not-found` */
export function requireGroup(fleet: Fleet, id: Id): Group {
  const group = fleet.groupById(id)
  if (group === undefined || group.metadata.deletedAt !== undefined)
    throw new FleetError('not-found', `There is no group ${id}.`)
  return group
}

/** @throws FleetError `api-locked` */
export function requireUnlockedGroup({ spec }: Group): void {
  if (spec.apiLocked === true)
    throw new FleetError(
      'api-locked',
      `Group ${spec.displayName} is locked against changes through the API; unlock it first.`,
    )
}

/** @throws FleetError `name-taken` */
export function requireFreeGroupName(fleet: Fleet, name: string, id: Id): void {
  const other = fleet
    .groups()
    .find(
      (group) =>
        group.spec.displayName === name && group.metadata.deletedAt === undefined && group.metadata.id !== id,
    )
  if (other !== undefined)
    throw new FleetError(
      'name-taken',
      `There is a group ${name} already (${other.metadata.id}); choose another name.`,
    )
}

function result(
  after: Group,
  before: Group | undefined,
  subject: string,
  body: string,
): TransactionResult<Group> {
  const changes = isDeepStrictEqual(before, after)
    ? []
    : [{ path: groupPath(after.metadata.name), before, after }]
  return { changes, text: { subject, body, trailers: { Group: after.metadata.id } }, value: after }
}

export function describeGroupUpdate(before: Group, after: Group): string {
  const names = (env: Env = {}): readonly string[] => Object.keys(env)
  return lines(
    changeLine('Name', before.spec.displayName, after.spec.displayName),
    changeLine('Version', before.spec.version, after.spec.version),
    changeLine('Image', before.spec.image, after.spec.image),
    changeLine('Environment', names(before.spec.env), names(after.spec.env)),
    changeLine('Scheduling', before.spec.scheduling, after.spec.scheduling),
    changeLine('Max rolling', before.spec.maxRolling, after.spec.maxRolling),
    changeLine('Sequence', before.spec.sequence, after.spec.sequence),
  )
}
