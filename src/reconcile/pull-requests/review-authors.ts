/** Who asks for a change, as the rules on who may touch what need it: login and teams. */
import { isFleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Forge, PullRequest } from '../../ports/forge.ts'
import type { ReviewAuthor } from '../../ports/reviews.ts'
import { type ForgeContact, isAway } from './forge-contact.ts'

/** Members of a team are asked for again after this. */
const KEPT_MILLISECONDS = 5 * 60_000

export interface ReviewAuthorsOptions {
  readonly forge: Pick<Forge, 'teamMembers'>
  readonly contact: Pick<ForgeContact, 'ask'>
  /** Teams that the rules name. */
  readonly teams: () => readonly string[]
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

interface Kept {
  readonly members: ReadonlySet<string>
  readonly until: number
}

/** The function that is returned: @throws FleetError `forge-unavailable`, `forge-denied` */
export function createReviewAuthors(
  options: ReviewAuthorsOptions,
): (pull: Pick<PullRequest, 'author'>) => Promise<ReviewAuthor> {
  const { forge, contact, clock, onError } = options
  const kept = new Map<string, Kept>()
  async function membersOf(team: string): Promise<ReadonlySet<string>> {
    const known = kept.get(team)
    if (known !== undefined && clock.monotonic() < known.until) return known.members
    const members = await contact
      .ask(() => forge.teamMembers(team))
      .catch((error: unknown) => {
        // Whoever cannot be seen to belong to a team does not.
        if (!isFleetError(error) || isAway(error)) throw error
        onError(error)
        return undefined
      })
    const found = new Set([...(members ?? [])].map((login) => login.toLowerCase()))
    kept.set(team, { members: found, until: clock.monotonic() + KEPT_MILLISECONDS })
    return found
  }
  return async ({ author }) => {
    const named = options.teams()
    for (const team of kept.keys()) if (!named.includes(team)) kept.delete(team)
    const teams: string[] = []
    for (const team of named) if ((await membersOf(team)).has(author.login.toLowerCase())) teams.push(team)
    return { login: author.login, teams }
  }
}
