/** Changes of a running installation's configuration. */
import { isDeepStrictEqual } from 'node:util'
import type { Id } from '../../ids.ts'
import type { Env, EnvValue, Installation, InstallationSpec, SecretReference } from '../../intents.ts'
import type { Transaction } from '../../transaction.ts'
import { changeLine, lines } from '../text.ts'
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

/** By name: a new value, or null to remove the variable. `clear` removes all. */
export type EnvPatch = 'clear' | Readonly<Record<string, EnvValue | null>>

export interface UpdateInstallation {
  readonly id: Id
  readonly stateOf: StateOf
  /** Absent fields stay as they are. */
  readonly patch: Partial<
    Pick<
      InstallationSpec,
      'owner' | 'version' | 'image' | 'size' | 'podProbeOverrides' | 'command' | 'volumes'
    >
  > & {
    /** null: no licence. */
    readonly licence?: SecretReference | null
    readonly env?: EnvPatch
    readonly priorityEnv?: EnvPatch
    readonly allowedIpRanges?: (
      present: InstallationSpec['allowedIpRanges'],
    ) => InstallationSpec['allowedIpRanges']
  }
}

/** Value: the installation as it is then, and whether anything changed. */
export function updateInstallation({
  id,
  stateOf,
  patch,
}: UpdateInstallation): Transaction<{ readonly installation: Installation; readonly changed: boolean }> {
  return (fleet, context) => {
    const before = requireInstallation(fleet, id)
    requireUnlocked(before)
    requireState(fleet, before, 'update', stateOf)
    const spec = patched(before.spec, patch)
    const trailers = trailersOf(fleet, before)
    const subject = `Update installation ${before.metadata.name}`
    if (isDeepStrictEqual(spec, before.spec))
      return { changes: [], text: { subject, trailers }, value: { installation: before, changed: false } }
    const group = typeof spec.group === 'string' ? fleet.group(spec.group) : undefined
    // As in the original, whoever is updated takes what the group has by then.
    const newest = group === undefined ? {} : { groupSequence: group.spec.sequence }
    const after = withOperation({ ...before, spec: { ...spec, ...newest } }, 'update', timestamp(context.now))
    const text = { subject, body: describeUpdate(before.spec, spec), trailers }
    return { changes: changeOf(fleet, after), text, value: { installation: after, changed: true } }
  }
}

/** The specification with a patch on it. */
export function patched(spec: InstallationSpec, patch: UpdateInstallation['patch']): InstallationSpec {
  const { env, priorityEnv, licence, allowedIpRanges, ...plain } = patch
  const next = {
    ...spec,
    ...withoutUndefined(plain),
    env: patchEnv(spec.env, env),
    priorityEnv: patchEnv(spec.priorityEnv, priorityEnv),
    licence: licence === undefined ? spec.licence : (licence ?? undefined),
    allowedIpRanges:
      allowedIpRanges === undefined ? spec.allowedIpRanges : allowedIpRanges(spec.allowedIpRanges),
  }
  const {
    env: nextEnv,
    priorityEnv: nextPriority,
    licence: nextLicence,
    allowedIpRanges: nextRanges,
    ...rest
  } = next
  return {
    ...rest,
    ...withoutUndefined({
      env: nextEnv,
      priorityEnv: nextPriority,
      licence: nextLicence,
      allowedIpRanges: nextRanges,
    }),
  }
}

/** As the original patches: absent leaves, `clear` empties, null removes. */
export function patchEnv(env: Env | undefined, patch: EnvPatch | undefined): Env | undefined {
  if (patch === undefined) return env
  if (patch === 'clear') return undefined
  const next: Record<string, EnvValue> = { ...env }
  for (const [name, value] of Object.entries(patch)) {
    if (value === null) delete next[name]
    else next[name] = value
  }
  return Object.keys(next).length === 0 ? undefined : sorted(next)
}

function sorted(env: Readonly<Record<string, EnvValue>>): Env {
  return Object.fromEntries(Object.entries(env).sort(([a], [b]) => (a < b ? -1 : 1)))
}

function withoutUndefined<Value extends object>(value: Value): Value {
  // Keys without a value are left out, which the type of an optional field allows.
  return Object.fromEntries(Object.entries(value).filter(([, entry]) => entry !== undefined)) as Value
}

/** Old and new; of secrets and variables only that they changed. */
export function describeUpdate(before: InstallationSpec, after: InstallationSpec): string {
  return lines(
    changeLine('Owner', before.owner, after.owner),
    changeLine('Version', before.version, after.version),
    changeLine('Image', before.image, after.image),
    changeLine('Size', before.size, after.size),
    changeLine('Command', before.command, after.command),
    before.licence?.key === after.licence?.key ? undefined : 'Licence: new value',
    envLine('Environment', before.env, after.env),
    envLine('Priority environment', before.priorityEnv, after.priorityEnv),
    changeLine('Allowed IP ranges', ranges(before), ranges(after)),
    changeLine('Volumes', Object.keys(before.volumes ?? {}), Object.keys(after.volumes ?? {})),
    changeLine('Probes', before.podProbeOverrides, after.podProbeOverrides),
  )
}

function ranges({ allowedIpRanges = [] }: InstallationSpec): readonly string[] {
  return allowedIpRanges.map(({ cidrBlock, enabled }) => (enabled ? cidrBlock : `${cidrBlock} (off)`))
}

/** Names only: a value may be confidential although it is no secret. */
function envLine(label: string, before: Env = {}, after: Env = {}): string | undefined {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  const changed = names
    .filter((name) => !isDeepStrictEqual(before[name], after[name]))
    .map((name) => {
      if (before[name] === undefined) return `+${name}`
      return after[name] === undefined ? `-${name}` : name
    })
  return changed.length === 0 ? undefined : `${label}: ${changed.join(', ')}`
}
