/** The forge as reviews of changes use it: left alone while it is away, as everything else here leaves it alone. */
import type { Forge } from '../ports/forge.ts'
import type { ForgeContact } from './pull-requests/forge-contact.ts'

export type ReviewForge = Pick<
  Forge,
  'openPullRequests' | 'endedPullRequests' | 'pullRequest' | 'open' | 'close' | 'comment' | 'deleteBranch'
>

export function contactedForge(forge: ReviewForge, contact: Pick<ForgeContact, 'ask'>): ReviewForge {
  return {
    openPullRequests: (base) => contact.ask(() => forge.openPullRequests(base)),
    endedPullRequests: (base, since) => contact.ask(() => forge.endedPullRequests(base, since)),
    pullRequest: (number) => contact.ask(() => forge.pullRequest(number)),
    open: (request) => contact.ask(() => forge.open(request)),
    close: (number) => contact.ask(() => forge.close(number)),
    comment: (number, key, markdown) => contact.ask(() => forge.comment(number, key, markdown)),
    deleteBranch: (branch) => contact.ask(() => forge.deleteBranch(branch)),
  }
}
