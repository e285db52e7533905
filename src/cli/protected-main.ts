/** Writing to a main that takes no pushes, where the configuration says so. */
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import type { RepositoryHome } from '../git/contracts.ts'
import { createProtectedHome } from '../git/protected/home.ts'
import type { Clock } from '../ports/clock.ts'
import { type Forge, type PullRequest, WINDOW_BRANCHES } from '../ports/forge.ts'

/** The home that the writer works on. @throws FleetError `invalid-configuration` when there is no forge to do it with */
export async function writableHome(
  home: RepositoryHome,
  configuration: Pick<Configuration, 'protected-main'>,
  forge: Forge | undefined,
  clock: Clock,
): Promise<RepositoryHome> {
  if (configuration['protected-main'] === 'direct') return home
  if (forge === undefined)
    throw new FleetError(
      'invalid-configuration',
      'protected-main: pull-requests needs the forge that has them; set forge.',
    )
  const writable = createProtectedHome({ home, forge, clock })
  await writable.tidy()
  return writable
}

/** The forge as those see it who look at pull requests of people. */
export function withoutWindows(forge: Forge): Forge {
  return {
    ...forge,
    openPullRequests: async (base) => (await forge.openPullRequests(base)).filter(isOfPeople),
    endedPullRequests: async (base, since) => (await forge.endedPullRequests(base, since)).filter(isOfPeople),
    async pullRequest(number) {
      const found = await forge.pullRequest(number)
      return found !== undefined && isOfPeople(found) ? found : undefined
    },
  }
}

function isOfPeople({ branch, isFork }: PullRequest): boolean {
  return isFork || !branch.startsWith(WINDOW_BRANCHES)
}
