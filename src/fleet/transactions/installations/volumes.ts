/** Files of secrets that are mounted into the pods of an installation. */
import { FleetError } from '../../errors.ts'
import type { Id } from '../../ids.ts'
import type { Installation, InstallationSpec, Volume } from '../../intents.ts'
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

type Volumes = NonNullable<InstallationSpec['volumes']>

interface VolumeRequest {
  readonly id: Id
  readonly stateOf: StateOf
  readonly name: string
}

export function addVolume(input: VolumeRequest & { readonly volume: Volume }): Transaction<Installation> {
  return volumeTransaction(input, 'Add', (volumes) => {
    if (volumes[input.name] !== undefined)
      throw invalid('/Name', `There is a volume ${input.name} already; choose another name.`)
    requireFreePath(volumes, input.name, input.volume.mountPath, '/Volume/MountPath')
    return { ...volumes, [input.name]: input.volume }
  })
}

/** Absent fields stay as they are. New files come with a new secret. */
export function updateVolume(
  input: VolumeRequest & { readonly patch: Partial<Volume> },
): Transaction<Installation> {
  return volumeTransaction(input, 'Change', (volumes) => {
    const before = requireVolume(volumes, input.name)
    const { mountPath } = input.patch
    if (mountPath !== undefined) requireFreePath(volumes, input.name, mountPath, '/MountPath')
    return { ...volumes, [input.name]: { ...before, ...input.patch } }
  })
}

export function deleteVolume(input: VolumeRequest): Transaction<Installation> {
  return volumeTransaction(input, 'Remove', (volumes) => {
    requireVolume(volumes, input.name)
    const { [input.name]: _, ...rest } = volumes
    return rest
  })
}

function volumeTransaction(
  { id, stateOf, name }: VolumeRequest,
  verb: string,
  next: (volumes: Volumes) => Volumes,
): Transaction<Installation> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    requireUnlocked(before)
    requireState(fleet, before, 'update', stateOf)
    const { volumes: present, ...rest } = before.spec
    const volumes = next(present ?? {})
    const spec = Object.keys(volumes).length === 0 ? rest : { ...rest, volumes }
    const after = withOperation({ ...before, spec }, 'update', timestamp(context.now))
    return {
      changes: changeOf(fleet, after),
      text: {
        subject: `${verb} volume ${name} of installation ${before.metadata.name}`,
        body: `Volumes: ${names(present)} → ${names(volumes)}`,
        trailers: trailersOf(fleet, before),
      },
      value: after,
    }
  }
}

function names(volumes: Volumes | undefined): string {
  return Object.keys(volumes ?? {}).join(', ') || '(none)'
}

function requireVolume(volumes: Volumes, name: string): Volume {
  const volume = volumes[name]
  if (volume === undefined) throw invalid('/Name', `The installation has no volume ${name}.`)
  return volume
}

function requireFreePath(volumes: Volumes, name: string, mountPath: string, pointer: string): void {
  const other = Object.entries(volumes).find(
    ([key, volume]) => key !== name && volume.mountPath === mountPath,
  )
  if (other !== undefined)
    throw invalid(pointer, `The volume ${other[0]} is mounted at ${mountPath}; choose another path.`)
}

function invalid(pointer: string, detail: string): FleetError {
  return new FleetError('invalid-request', detail, { errors: [{ pointer, detail }] })
}
