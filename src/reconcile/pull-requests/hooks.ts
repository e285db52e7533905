/**
 * Hooks of the forge: verified, looked at once, and turned into a place to look. Nothing in them is believed but that, so
 * one that is lost, late or out of order does no harm.
 */
import { FleetError } from '../../fleet/errors.ts'
import type { Clock } from '../../ports/clock.ts'
import type { ForgeKind, Hook, ReadHook } from '../../ports/forge.ts'
import type { HookReceiver } from '../../ports/pull-requests.ts'
import type { PullRequestMetrics } from './metrics.ts'
import { Budget } from './schedule.ts'

/** Deliveries that are remembered, so that a replayed one costs nothing. */
const MOST_DELIVERIES = 10_000
/** Each costs the check of a signature; with more, the poll finds what they tell. */
const BUDGET = { most: 200, perSecond: 20 } as const

export interface HookReceiverOptions {
  readonly kind: ForgeKind
  readonly read: ReadHook
  /** Undefined: none is configured. Asked each time, so that a new one is noticed. */
  readonly secret: () => Promise<string | undefined>
  /** `owner/name`, as the forge writes it. */
  readonly repository: string
  readonly onPullRequest: (number: number) => void
  readonly onPush: (ref: string) => void
  readonly metrics: Pick<PullRequestMetrics, 'hook'>
  readonly clock: Clock
}

export function createHookReceiver(options: HookReceiverOptions): HookReceiver {
  const { kind, metrics, clock } = options
  const seen = new Set<string>()
  const budget = new Budget(BUDGET.most, BUDGET.perSecond, clock.monotonic())
  return {
    kind,
    async receive(request) {
      try {
        if (!budget.has(clock.monotonic()))
          throw new FleetError('too-many-requests', 'Too many hooks; what they tell is found by the poll.')
        budget.take()
        const hook = await readVerified(options, request)
        if (seen.has(hook.delivery)) return metrics.hook('replayed')
        remember(seen, hook.delivery)
        metrics.hook('taken')
        act(options, hook)
      } catch (error) {
        metrics.hook('refused')
        throw error
      }
    },
  }
}

/** @throws FleetError `not-found`, `unauthenticated`, `forbidden`, `invalid-request` */
async function readVerified(
  { read, secret: secretOf, repository }: HookReceiverOptions,
  request: Parameters<HookReceiver['receive']>[0],
): Promise<Hook> {
  const secret = await secretOf()
  if (secret === undefined)
    throw new FleetError('not-found', 'Hooks are not set up here: set forge-hook-secret-file on the server.')
  const hook = read({ ...request, secret })
  if (hook.repository !== undefined && hook.repository.toLowerCase() !== repository.toLowerCase())
    throw new FleetError('forbidden', `This hook is of another repository; here it is ${repository}.`)
  if (hook.repository === undefined && hook.content.event !== 'ping' && hook.content.event !== 'other')
    throw new FleetError('invalid-request', 'The hook does not say of which repository it is.')
  return hook
}

function remember(seen: Set<string>, delivery: string): void {
  seen.add(delivery)
  // A set keeps the order in which they came.
  for (const oldest of seen) {
    if (seen.size <= MOST_DELIVERIES) return
    seen.delete(oldest)
  }
}

function act({ onPullRequest, onPush }: HookReceiverOptions, { content }: Hook): void {
  if (content.event === 'pull-request') onPullRequest(content.number)
  else if (content.event === 'push') onPush(content.ref)
}
