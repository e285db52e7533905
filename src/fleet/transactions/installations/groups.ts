/** An installation joins and leaves groups. */
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { Env, Group, Installation } from '../../intents.ts'
import type { Transaction } from '../../transaction.ts'
import {
  changeOf,
  requireInstallation,
  requireState,
  requireUnlocked,
  type StateOf,
  timestamp,
  trailersOf,
  withOperation,
} from './common.ts'
import { requireLiveGroup, selectGroup } from './create.ts'

/** The group's present configuration is taken at once; its later ones come with rollouts. No update is asked for. */
export function joinGroup(input: { readonly id: Id; readonly group: Id }): Transaction<Installation> {
  return (fleet) => {
    const before = requireInstallation(fleet, input.id)
    const group = requireLiveGroup(fleet, input.group)
    requireUnlocked(before)
    return joined(fleet, before, group)
  }
}

/** Joins the group that has all the annotations and the fewest members. */
export function assignGroup(input: {
  readonly id: Id
  readonly annotations: readonly string[]
}): Transaction<Installation> {
  return (fleet) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    return joined(fleet, before, selectGroup(fleet, input.annotations))
  }
}

function joined(fleet: Fleet, before: Installation, group: Group): ReturnType<Transaction<Installation>> {
  const { name, id } = group.metadata
  const trailers = { ...trailersOf(fleet, before), Group: id }
  const subject = `Move installation ${before.metadata.name} to group ${name}`
  if (before.spec.group === name) return { changes: [], text: { subject, trailers }, value: before }
  const after: Installation = {
    ...before,
    spec: { ...before.spec, group: name, groupSequence: group.spec.sequence },
  }
  const body = `Group: ${before.spec.group ?? '(none)'} → ${name}`
  return { changes: changeOf(fleet, after), text: { subject, body, trailers }, value: after }
}

/** @param retain whether the installation keeps the group's version, image and environment as its own */
export function leaveGroup(input: {
  readonly id: Id
  readonly retain: boolean
  readonly stateOf: StateOf
}): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, input.id)
    requireUnlocked(before)
    requireState(fleet, before, 'update', input.stateOf)
    const { group: name, groupSequence: _, ...spec } = before.spec
    const group = typeof name === 'string' ? fleet.group(name) : undefined
    const own = input.retain && group !== undefined ? retained(before, group) : {}
    const left = name === undefined ? {} : { group: null }
    const after = withOperation(
      { ...before, spec: { ...spec, ...own, ...left } },
      'update',
      timestamp(context.now),
    )
    const subject = `Take installation ${before.metadata.name} out of ${group === undefined ? 'its group' : `group ${group.metadata.name}`}`
    const body = `Group: ${name ?? '(none)'} → (none)${input.retain ? ', keeps its configuration' : ''}`
    const trailers = {
      ...trailersOf(fleet, before),
      ...(group === undefined ? {} : { Group: group.metadata.id }),
    }
    return { changes: changeOf(fleet, after), text: { subject, body, trailers }, value: after }
  }
}

function retained(
  { spec }: Installation,
  group: Group,
): { readonly version: string; readonly image: string; readonly env?: Env } {
  const env = { ...spec.env, ...group.spec.env }
  return {
    version: group.spec.version || spec.version,
    image: group.spec.image || spec.image,
    ...(Object.keys(env).length === 0 ? {} : { env }),
  }
}
