/** Fleetwright on a test bed with its fleet repository on a real Gitea: pull requests are checked, and Gitea's hooks tell of them. */
import { randomBytes } from 'node:crypto'
import type { Testbed } from '../../scripts/testbed/testbed.ts'
import { clusterIsWired, type FleetCluster, type FleetOnTestbed, startFleet } from './fleet-on-testbed.ts'
import { createGiteaWorld, type GiteaWorld } from './gitea-world.ts'

/** Without hooks; with them a check is there long before. */
const POLL_SECONDS = '60'

export interface FleetOnGitea {
  readonly fleet: FleetOnTestbed
  readonly gitea: GiteaWorld
  /** Hooks of Gitea are signed with it. */
  readonly hookSecret: string
}

/** The bed has a Gitea that nobody has used yet. */
export async function startFleetOnGitea(
  bed: Testbed,
  clusters: readonly FleetCluster[],
): Promise<FleetOnGitea> {
  const gitea = await createGiteaWorld(bed.gitea, await bed.makeFolder('people'), { isEmpty: true })
  const { fleetwright, person, people } = gitea
  const hookSecret = randomBytes(24).toString('base64url')
  const fleet = await startFleet(bed, clusters, {
    remote: {
      url: gitea.cloneUrl,
      settings: {
        'fleet-user': fleetwright.login,
        'fleet-token': fleetwright.token,
        forge: 'gitea',
        'forge-hook-secret': hookSecret,
        'pull-request-poll-seconds': POLL_SECONDS,
      },
      login: { username: person.login, password: person.token },
      commit: (files) => people.commit('main', files),
    },
  })
  for (const cluster of clusters) await clusterIsWired(bed.cluster('control'), cluster)
  await bed.gitea.call('POST', `/repos/${gitea.repository}/hooks`, {
    type: 'gitea',
    active: true,
    events: ['push', 'pull_request'],
    config: { url: `${fleet.url}/api/fleet/hooks/gitea`, content_type: 'json', secret: hookSecret },
  })
  return { fleet, gitea, hookSecret }
}
