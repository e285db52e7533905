/**
 * Asks the workspaces of running installations one after another, so many a second over the whole fleet. One failure is asked about
 * again before it is told.
 */
import type { Id } from '../fleet/ids.ts'
import type { Installation } from '../fleet/intents.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Ping, PingSight } from '../ports/ping.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { startLoop } from './loop.ts'

/** Between two rounds: no workspace is asked more often, however small the fleet is. */
const ROUND_PAUSE_MILLISECONDS = 30_000
const SECOND_TRY_MILLISECONDS = 5_000
/** Open at a time; the others wait. */
const MOST_OPEN = 256

export interface PingerOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  readonly ping: Ping
  readonly clock: Clock
  readonly randomness: Randomness
  /** Over the whole fleet; at least 1. */
  readonly perSecond: number
  /** It is to be running, as far as is known. */
  readonly isRunning: (installation: Installation) => boolean
  /** It answers now, or does not any more. */
  readonly onChange: (id: Id) => void
  readonly onError: (error: unknown) => void
  /** Every answer, and every failure. */
  readonly onPing: (ok: boolean, seconds: number) => void
  readonly roundMilliseconds?: number
}

export interface Pinger {
  of(id: Id): PingSight | undefined
  close(): Promise<void>
}

export function startPinger(options: PingerOptions): Pinger {
  const { writer, ping, clock, onChange } = options
  const round = options.roundMilliseconds ?? ROUND_PAUSE_MILLISECONDS
  const known = new Map<Id, PingSight>()
  const open = new Set<Promise<void>>()
  let turn = Promise.resolve()
  /** Everybody who asks waits for a turn, second tries included. */
  function takeTurn(signal: AbortSignal): Promise<void> {
    const pause = (1_000 / options.perSecond) * (0.5 + (options.randomness.bytes(1)[0] ?? 0) / 255)
    turn = turn.then(() => clock.sleep(pause, signal))
    return turn
  }
  async function once(host: string, signal: AbortSignal): ReturnType<Ping['ping']> {
    const started = clock.monotonic()
    const answer = await ping.ping(host, signal)
    if (!signal.aborted) options.onPing(answer.ok, (clock.monotonic() - started) / 1_000)
    return answer
  }
  async function ask(id: Id, host: string, signal: AbortSignal): Promise<void> {
    let answer = await once(host, signal)
    if (!answer.ok && known.get(id)?.ok !== false) {
      await clock.sleep(Math.min(SECOND_TRY_MILLISECONDS, round), signal)
      await takeTurn(signal)
      answer = await once(host, signal)
    }
    if (signal.aborted) return
    const before = known.get(id)
    known.set(id, { ...answer, at: clock.now() })
    if (before?.ok !== answer.ok || before.detail !== answer.detail) onChange(id)
  }
  async function run(signal: AbortSignal): Promise<void> {
    for (const { metadata } of writer.fleet.installations()) {
      const { id } = metadata
      const installation = writer.fleet.installation(id)
      const host = installation?.spec.dns.find(({ primary }) => primary === true)?.name
      if (installation === undefined || host === undefined || !options.isRunning(installation)) {
        if (known.delete(id)) onChange(id)
        continue
      }
      await takeTurn(signal)
      const asking = ask(id, host, signal).catch(report)
      open.add(asking)
      void asking.finally(() => open.delete(asking))
      if (open.size >= MOST_OPEN) await Promise.race(open)
    }
    forget()
    function report(error: unknown): void {
      if (!signal.aborted) options.onError(error)
    }
  }
  function forget(): void {
    for (const id of known.keys()) if (writer.fleet.installation(id) === undefined) known.delete(id)
  }
  const loop = startLoop({
    clock,
    interval: round,
    // A pause that ends with the process is no error.
    run: (signal) =>
      run(signal).catch((error: unknown) => (signal.aborted ? undefined : options.onError(error))),
    onError: options.onError,
  })
  return {
    of: (id) => known.get(id),
    async close() {
      await loop.close()
      await Promise.all(open)
      ping.close()
    },
  }
}
