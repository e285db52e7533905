/** Brings a built window to the home, and finds out what became of it when the answer is lost. */
import { type FleetError, isFleetError } from '../../fleet/errors.ts'
import { ownIdentity } from './commit-message.ts'
import type { NextWindow } from './next-window.ts'
import type { WriterParts } from './parts.ts'
import { isAncestor } from './recovery.ts'
import type { WriterOptions } from './types.ts'
import type { BuiltWindow } from './window.ts'

const PATIENCE_MILLISECONDS = 20_000
const FIRST_PAUSE_MILLISECONDS = 100
const LONGEST_PAUSE_MILLISECONDS = 2_000
const RACE_MILLISECONDS = 20
const MOST_RACE_MILLISECONDS = 200

export type Landing =
  /** `window`: the one that is on the home, which may be an earlier try whose answer was lost. */
  | { readonly outcome: 'accepted'; readonly window: BuiltWindow }
  | { readonly outcome: 'again' }
  /** The home did nothing, and asks for a pause. */
  | { readonly outcome: 'limited'; readonly error: FleetError }
  | { readonly outcome: 'failed'; readonly error: unknown }

export interface LandingParts extends Pick<WriterParts, 'options' | 'head' | 'contact' | 'pace'> {
  /** Takes in what others pushed. */
  readonly sync: () => Promise<void>
  /** Resolves when the home may be asked again. */
  readonly turn: () => Promise<void>
  readonly isClosed: () => boolean
  /** What is built on top of the window meanwhile. */
  readonly next: Pick<NextWindow, 'build' | 'takeBack'>
}

export interface Tries {
  /** Earlier tries of the same window that may still reach the home; one more is noted when it is one. */
  readonly uncertain: BuiltWindow[]
  /** Races lost before this try. */
  readonly race: number
}

export async function landWindow(
  parts: LandingParts,
  window: BuiltWindow,
  { uncertain, race }: Tries,
): Promise<Landing> {
  const { options, head, contact, pace } = parts
  if (window.head === undefined || window.head === head.commit) return { outcome: 'accepted', window }
  try {
    const projections = await head.project(window, ownIdentity(options))
    const updates = [head.mainUpdate(window.head), ...projections.updates]
    const pushing = options.home.push(updates, [...window.objects, ...projections.objects])
    await parts.next.build(window, pushing)
    const pushed = await pushing
    contact.succeeded()
    pace.succeeded()
    if (pushed.outcome === 'accepted') {
      head.advance(window, projections)
      return { outcome: 'accepted', window }
    }
  } catch (error) {
    parts.next.takeBack()
    head.undo(window)
    contact.failed(error)
    if (pace.limitedBy(error)) return { outcome: 'limited', error }
    return await afterFailure(parts, window, uncertain, error)
  }
  parts.next.takeBack()
  head.undo(window)
  options.observer.race()
  // Before the look, not after it: from there to the push every millisecond is one in which somebody else may push.
  await options.clock.sleep(
    Math.min(race * RACE_MILLISECONDS, MOST_RACE_MILLISECONDS) * jitter(options.randomness),
  )
  return await lookAgain(parts, uncertain)
}

/** A push whose answer was lost may have been written: look before running it again. */
async function afterFailure(
  parts: LandingParts,
  window: BuiltWindow,
  uncertain: BuiltWindow[],
  error: unknown,
): Promise<Landing> {
  parts.options.observer.failed(error)
  if (!isUnavailable(error)) return { outcome: 'failed', error }
  uncertain.push(window)
  await parts.options.clock.sleep(FIRST_PAUSE_MILLISECONDS)
  return await lookAgain(parts, uncertain)
}

/** Takes in what others pushed, and finds out whether one of the tries is among it. A home that is away is waited for. */
export async function lookAgain(
  parts: Pick<LandingParts, 'options' | 'head' | 'pace' | 'sync' | 'turn' | 'isClosed'>,
  uncertain: readonly BuiltWindow[],
): Promise<Exclude<Landing, { readonly outcome: 'limited' }>> {
  const { options, pace, sync, turn, isClosed } = parts
  const { clock, patienceMilliseconds = PATIENCE_MILLISECONDS } = options
  let deadline = clock.monotonic() + patienceMilliseconds
  let pause = FIRST_PAUSE_MILLISECONDS
  for (;;) {
    try {
      await sync()
      return await landed(parts, uncertain)
    } catch (error) {
      if (!isUnavailable(error) || isClosed()) return { outcome: 'failed', error }
      const asked = clock.monotonic()
      if (pace.limitedBy(error)) {
        await turn()
        deadline += clock.monotonic() - asked
        continue
      }
      if (asked >= deadline) return { outcome: 'failed', error }
      pause = Math.min(pause * 2, LONGEST_PAUSE_MILLISECONDS)
      await clock.sleep(pause)
    }
  }
}

/** Whether one of the tries is in the history that was taken in just now. */
async function landed(
  { options, head }: Pick<LandingParts, 'options' | 'head'>,
  uncertain: readonly BuiltWindow[],
): Promise<{ readonly outcome: 'accepted'; readonly window: BuiltWindow } | { readonly outcome: 'again' }> {
  for (const window of uncertain) {
    if (window.head !== undefined && (await isAncestor(options.home.objects, window.head, head.commit)))
      return { outcome: 'accepted', window }
  }
  return { outcome: 'again' }
}

function isUnavailable(error: unknown): boolean {
  return isFleetError(error) && error.code === 'remote-unavailable'
}

function jitter(randomness: WriterOptions['randomness']): number {
  return 0.5 + (randomness.bytes(1)[0] ?? 0) / 255
}
