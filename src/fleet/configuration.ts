/** What an installation runs: its own configuration with its group's over it. */
import type { Fleet } from './fleet.ts'
import type { Env, Group, GroupConfiguration, Installation } from './intents.ts'

export interface EffectiveConfiguration {
  readonly version: string
  readonly image: string
  /** Own variables, then the group's over them, then the priority ones. */
  readonly env: Env
  readonly scheduling: NonNullable<GroupConfiguration['scheduling']>
  readonly group: Group | undefined
}

/** @param which the group's newest configuration, or the one the installation is rendered with */
export function effectiveConfiguration(
  fleet: Pick<Fleet, 'group'>,
  { spec }: Installation,
  which: 'newest' | 'rendered',
): EffectiveConfiguration {
  const joined = typeof spec.group === 'string' ? fleet.group(spec.group) : undefined
  // A member without a sequence waits for a rollout and runs its own configuration until then.
  const waits = which === 'rendered' && spec.groupSequence === undefined
  const group = waits ? undefined : joined
  const sequence = which === 'newest' ? undefined : spec.groupSequence
  const configuration =
    group === undefined ? undefined : groupConfigurationAt(group, sequence ?? group.spec.sequence)
  return {
    version: configuration?.version || spec.version,
    image: configuration?.image || spec.image,
    env: { ...spec.env, ...configuration?.env, ...spec.priorityEnv },
    scheduling: configuration?.scheduling ?? {},
    group,
  }
}

/** What members at a sequence run; undefined when the group does not know it any more. */
export function groupConfigurationAt(group: Group, sequence: number): GroupConfiguration | undefined {
  const found =
    sequence === group.spec.sequence
      ? group.spec
      : group.spec.previous?.find((previous) => previous.sequence === sequence)
  if (found === undefined) return undefined
  const { version, image, env, scheduling } = found
  return {
    ...(version === undefined ? {} : { version }),
    ...(image === undefined ? {} : { image }),
    ...(env === undefined ? {} : { env }),
    ...(scheduling === undefined ? {} : { scheduling }),
  }
}
