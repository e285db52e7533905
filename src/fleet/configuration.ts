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
  fleet: Fleet,
  { spec }: Installation,
  which: 'newest' | 'rendered',
): EffectiveConfiguration {
  const group = typeof spec.group === 'string' ? fleet.group(spec.group) : undefined
  const configuration =
    group === undefined
      ? undefined
      : configurationOf(group, which === 'newest' ? undefined : spec.groupSequence)
  return {
    version: configuration?.version || spec.version,
    image: configuration?.image || spec.image,
    env: { ...spec.env, ...configuration?.env, ...spec.priorityEnv },
    scheduling: configuration?.scheduling ?? {},
    group,
  }
}

/** A group's configuration at a sequence; the newest when the sequence is unknown or absent. */
function configurationOf(group: Group, sequence: number | undefined): GroupConfiguration {
  if (sequence === undefined || sequence === group.spec.sequence) return group.spec
  return group.spec.previous?.find((previous) => previous.sequence === sequence) ?? group.spec
}
