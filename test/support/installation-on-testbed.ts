/** What became of an installation on its cluster. */
import type { Cluster } from '../../scripts/testbed/cluster.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import type { Mattermost } from '../stand-ins/mattermost-operator/types.ts'

/** Waits for its Mattermost resource to be so. Each installation has a namespace named by its id. */
export async function mattermostWith(
  { name, api }: Cluster,
  id: string,
  is: (mattermost: Mattermost) => boolean,
): Promise<Mattermost> {
  const path = `/apis/installation.mattermost.com/v1beta1/namespaces/${id}/mattermosts`
  return await waitFor(
    `the installation ${id} on ${name}`,
    async () => {
      const [one] = (await api.list<Mattermost>(path)).items
      return one !== undefined && is(one) ? one : undefined
    },
    { within: 120_000 },
  )
}

/** The operator is done with the present generation. */
export function isStable({ metadata, status }: Mattermost): boolean {
  return (
    status?.state === 'stable' &&
    status.observedGeneration === metadata.generation &&
    (status.error ?? '') === ''
  )
}
