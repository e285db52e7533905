/** Brings a built window to the home, and finds out what became of it when the answer is lost. */
import { isFleetError } from '../../fleet/errors.ts'
import { ownIdentity } from './commit-message.ts'
import type { Contact } from './contact.ts'
import type { Head } from './head.ts'
import type { NextWindow } from './next-window.ts'
import { isAncestor } from './recovery.ts'
import type { WriterOptions } from './types.ts'
import type { BuiltWindow } from './window.ts'

const PATIENCE_MILLISECONDS = 20_000
const RACE_MILLISECONDS = 20
const MOST_RACE_MILLISECONDS = 200

export type Landing =
  /** `window`: the one that is on the home, which may be an earlier try whose answer was lost. */
  | { readonly outcome: 'accepted'; readonly window: BuiltWindow }
  | { readonly outcome: 'again' }
  | { readonly outcome: 'failed'; readonly error: unknown }

export interface LandingParts {
  readonly options: WriterOptions
  readonly head: Head
  readonly contact: Contact
  /** Takes in what others pushed. */
  readonly sync: () => Promise<void>
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
  const { options, head, contact, sync } = parts
  if (window.head === undefined || window.head === head.commit) return { outcome: 'accepted', window }
  try {
    const projections = await head.project(window, ownIdentity(options))
    const updates = [head.mainUpdate(window.head), ...projections.updates]
    const pushing = options.home.push(updates, [...window.objects, ...projections.objects])
    await parts.next.build(window, pushing)
    const pushed = await pushing
    contact.succeeded()
    if (pushed.outcome === 'accepted') {
      head.advance(window, projections)
      return { outcome: 'accepted', window }
    }
  } catch (error) {
    parts.next.takeBack()
    head.undo(window)
    contact.failed(error)
    return await afterFailure(parts, window, uncertain, error)
  }
  parts.next.takeBack()
  head.undo(window)
  options.observer.race()
  try {
    // Before the look, not after it: from there to the push every millisecond is one in which somebody else may push.
    await options.clock.sleep(
      Math.min(race * RACE_MILLISECONDS, MOST_RACE_MILLISECONDS) * jitter(options.randomness),
    )
    await sync()
    return await landed(parts, uncertain)
  } catch (error) {
    return { outcome: 'failed', error }
  }
}

/** A push whose answer was lost may have been written: look before running it again. */
async function afterFailure(
  parts: LandingParts,
  window: BuiltWindow,
  uncertain: BuiltWindow[],
  error: unknown,
): Promise<Landing> {
  const { options, sync, isClosed } = parts
  options.observer.failed(error)
  if (!isFleetError(error) || error.code !== 'remote-unavailable') return { outcome: 'failed', error }
  uncertain.push(window)
  const { clock, patienceMilliseconds } = options
  const deadline = clock.monotonic() + (patienceMilliseconds ?? PATIENCE_MILLISECONDS)
  let pause = 100
  while (clock.monotonic() < deadline && !isClosed()) {
    await clock.sleep(pause)
    pause = Math.min(pause * 2, 2_000)
    try {
      await sync()
      return await landed(parts, uncertain)
    } catch (next) {
      if (!isFleetError(next) || next.code !== 'remote-unavailable') return { outcome: 'failed', error: next }
    }
  }
  return { outcome: 'failed', error }
}

/** Whether one of the tries is in the history that was taken in just now. */
async function landed({ options, head }: LandingParts, uncertain: readonly BuiltWindow[]): Promise<Landing> {
  for (const window of uncertain) {
    if (window.head !== undefined && (await isAncestor(options.home.objects, window.head, head.commit)))
      return { outcome: 'accepted', window }
  }
  return { outcome: 'again' }
}

function jitter(randomness: WriterOptions['randomness']): number {
  return 0.5 + (randomness.bytes(1)[0] ?? 0) / 255
}
