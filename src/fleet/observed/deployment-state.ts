/** State of a deployment of an installation, from what is seen of it. */
import type { InstallationSight } from './sight.ts'

/** State of a cluster installation on the wire (reference: mattermost-cloud §2.3). */
export function deploymentState({ namespace, mattermost }: InstallationSight): string {
  if (namespace === 'terminating' || mattermost?.deleting === true) return 'deletion-requested'
  if (mattermost === undefined) return 'creation-requested'
  if (!mattermost.generationObserved || mattermost.state === undefined) return 'reconciling'
  return mattermost.state
}
