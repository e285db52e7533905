/** The forge of the fleet repository: pull requests are checked, and answered after the merge. Nothing without a setting. */
import type { Logger } from 'pino'
import type { Registry } from 'prom-client'
import { type ForgeAddress, forgeAddress } from '../configuration/forge.ts'
import type { Configuration } from '../configuration/settings.ts'
import type { FleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import type { Id } from '../fleet/ids.ts'
import { commentOf } from '../fleet/review/comment.ts'
import type { ReviewPlan } from '../fleet/review/plan.ts'
import { policyTeams } from '../fleet/review/policy.ts'
import { reportOf } from '../fleet/review/report.ts'
import type { GitHubApp } from '../forge/github/app.ts'
import type { ForgeRepository } from '../git/fleet-identity.ts'
import type { OpenReview, ReviewBranches } from '../ports/change-reviews.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Forge, ForgeAccess, PullRequest, ReadHook } from '../ports/forge.ts'
import type { Observations } from '../ports/observations.ts'
import {
  type FindOrigin,
  type HookReceiver,
  NO_PULL_REQUESTS,
  type PullRequests,
} from '../ports/pull-requests.ts'
import type { Reviews } from '../ports/reviews.ts'
import type { Sights } from '../ports/sights.ts'
import type { FleetStore } from '../ports/store.ts'
import type { FleetHistory, FleetWriter } from '../ports/writer.ts'
import { accessAtStart, startAccessCheck } from '../reconcile/pull-requests/access.ts'
import type { ReviewWords } from '../reconcile/pull-requests/check.ts'
import { ForgeContact } from '../reconcile/pull-requests/forge-contact.ts'
import { createHookReceiver } from '../reconcile/pull-requests/hooks.ts'
import { startPullRequestLoop } from '../reconcile/pull-requests/loop.ts'
import { createPullRequestMetrics, type PullRequestMetrics } from '../reconcile/pull-requests/metrics.ts'
import { createOrigins, type Origins } from '../reconcile/pull-requests/origins.ts'
import { startOutcomes } from '../reconcile/pull-requests/outcomes.ts'
import { createReviewAuthors } from '../reconcile/pull-requests/review-authors.ts'
import { openForge } from './open-forge.ts'
import { withoutWindows } from './protected-main.ts'
import { secretOf } from './secret-of.ts'

export interface ForgeOptions {
  readonly configuration: Configuration
  /** Logged in as it; its owner stops it. */
  readonly gitHubApp?: GitHubApp
  readonly history: FleetHistory
  /** Name in the commits of Fleetwright. */
  readonly committer: string
  readonly registry: Registry
  readonly clock: Clock
  readonly randomness: Randomness
  readonly logger: Logger
  readonly onError: (error: unknown) => void
  /** @returns what to stop for, when it is another repository than before */
  readonly sawRepository: (repository: ForgeRepository) => FleetError | undefined
}

/** What works on the fleet, once there is one. */
export interface ForgeWork {
  readonly writer: FleetWriter & Pick<ReviewBranches, 'openReviews'>
  readonly reviews: Reviews
  readonly observations: Observations
  readonly sights: Sights
  readonly store: FleetStore
  /** A pull request was merged or closed. */
  readonly onEnded: () => void
  /** State of an installation as it was last told. */
  readonly recorded: (id: Id) => string | undefined
}

export interface RunningForge {
  readonly pullRequests: PullRequests
  readonly hooks?: HookReceiver
  problems(): readonly Problem[]
  close(): Promise<void>
}

export interface OpenForge {
  readonly forge: Forge
  readonly contact: ForgeContact
  /** For the writer. */
  readonly findOrigin: FindOrigin
  start(work: ForgeWork): RunningForge
}

export const NO_FORGE: RunningForge = {
  pullRequests: NO_PULL_REQUESTS,
  problems: () => [],
  close: async () => undefined,
}

/** Undefined: none is configured. @throws FleetError `invalid-configuration`, `history-rewritten` for a replaced repository */
export async function composeForge(options: ForgeOptions): Promise<OpenForge | undefined> {
  const { configuration, history, committer, registry, clock, randomness, onError } = options
  const address = forgeAddress(configuration)
  if (address === undefined) return undefined
  const { forge, readHook, token } = await openForge(address, configuration, clock, options.gitHubApp)
  const metrics = createPullRequestMetrics(registry)
  const contact = new ForgeContact({ clock, randomness, onFailure: metrics.forgeFailed })
  const seen = withoutWindows(forge)
  const origins = createOrigins({ forge: seen, contact, history, committer, clock, onError })
  await requireSameRepository({ ...options, forge, contact })
  const parts: Opened = {
    ...{ ...options, address, forge: seen, readHook, contact, origins, metrics },
    ...(token === undefined ? {} : { token }),
  }
  return { forge, contact, findOrigin: origins.find, start: (work) => startWork(parts, work) }
}

/** Before anything is written. When the forge does not answer now, the check of the rights sees it later. */
async function requireSameRepository({
  forge,
  contact,
  sawRepository,
  onError,
  clock,
}: Pick<Opened, 'forge' | 'contact' | 'sawRepository' | 'onError' | 'clock'>): Promise<void> {
  let access: ForgeAccess
  try {
    access = await contact.ask(() => accessAtStart(forge, clock))
  } catch (error) {
    return onError(error)
  }
  const trouble = sawRepository({ url: forge.url, id: access.repository })
  if (trouble === undefined) return
  await forge.stop()
  throw trouble
}

interface Opened extends ForgeOptions {
  readonly address: ForgeAddress
  readonly forge: Forge
  readonly readHook: ReadHook
  readonly token?: () => Promise<string>
  readonly contact: ForgeContact
  readonly origins: Origins
  readonly metrics: PullRequestMetrics
}

function startWork(opened: Opened, work: ForgeWork): RunningForge {
  const { configuration, forge, contact, origins, metrics, clock, randomness, logger, onError } = opened
  const { 'public-url': publicUrl, 'pull-request-poll-seconds': pollSeconds } = configuration
  const { writer, reviews } = work
  const access = startAccessCheck({
    ...{ forge, contact, clock, logger, onError },
    writes: configuration['protected-main'] === 'direct' ? 'direct' : 'pull-requests',
    ...(opened.token === undefined ? {} : { token: opened.token }),
    home: () => writer.contact,
    onAccess: ({ repository: id }) => void opened.sawRepository({ url: forge.url, id }),
  })
  // What is there may be another fleet's: nothing is checked, told, opened or closed.
  contact.holdWhile(() => writer.contact.trouble?.code === 'history-rewritten' || access.isOutdated())
  const outcomes = startOutcomes({ ...opened, ...work, publicUrl })
  const reviewOf = ({ isFork, branch }: PullRequest): OpenReview | undefined =>
    isFork ? undefined : writer.openReviews().find((open) => open.branch === branch)
  const authorOf = createReviewAuthors({
    forge,
    contact,
    teams: () => policyTeams(writer.fleet.settings),
    clock,
    onError,
  })
  const pullRequests = startPullRequestLoop({
    ...{ forge, contact, writer, metrics, clock, randomness, onError },
    review: async (pull) => {
      const { number, head, headRef } = pull
      const review = reviewOf(pull)
      // What Fleetwright itself asks for, just as it made it, was allowed before.
      const isOwn = review?.isSealed === true && review.commit === head
      return await reviews.plan({
        ...{ number, head, headRef },
        author: isOwn ? undefined : await authorOf(pull),
        ...(review === undefined ? {} : { review }),
      })
    },
    wordsOf: (plan) => wordsOf(plan, publicUrl),
    pollMilliseconds: Number(pollSeconds) * 1_000,
    onOpen: (numbers) => reviews.keepOnly(numbers),
    onPlanned: origins.remember,
    onEnded() {
      outcomes.wake()
      work.onEnded()
    },
  })
  return {
    pullRequests,
    hooks: hookReceiver(opened, writer, (number) => pullRequests.wake(number)),
    problems: () => [...pullRequests.problems(), ...access.problems()],
    async close() {
      await access.close()
      await pullRequests.close()
      await outcomes.close()
      await forge.stop()
    },
  }
}

function hookReceiver(
  { configuration, address, readHook, metrics, clock, onError }: Opened,
  writer: FleetWriter,
  wake: (number?: number) => void,
): HookReceiver {
  return createHookReceiver({
    kind: address.kind,
    read: readHook,
    secret: secretOf(configuration, 'forge-hook-secret'),
    repository: address.repository,
    onPullRequest: wake,
    // A branch of a pull request has a hook of its own.
    onPush: (ref) => void (ref === 'refs/heads/main' ? writer.poll().catch(onError) : undefined),
    metrics,
    clock,
  })
}

function wordsOf(plan: ReviewPlan, publicUrl: string | undefined): ReviewWords {
  const options = publicUrl === undefined ? {} : { publicUrl }
  return { ...reportOf(plan, options), comment: commentOf(plan, options) }
}
