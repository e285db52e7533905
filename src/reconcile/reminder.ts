/**
 * Nudges engines again that have not applied what git has: the first nudge may have been lost (Fleetwright died between push
 * and nudge, the engine was restarting, the repository was out of reach), and their own polls come late.
 */
import type { Id } from '../fleet/ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'
import { engineOf, installationNudge, tell } from './nudge.ts'

const BEAT_MILLISECONDS = 1_000
const FIRST_PAUSE = 4_000
const LONGEST_PAUSE = 5 * 60_000
/** In one beat; the rest follow with the next. */
const MOST_AT_ONCE = 20

export interface ReminderOptions {
  readonly writer: Pick<FleetWriter, 'fleet'>
  /** Of the control cluster. */
  readonly api: Pick<ClusterApi, 'annotate' | 'contact'>
  readonly clock: Clock
  readonly onError: (error: unknown) => void
}

export interface Reminder {
  /** After each look at an installation. @param settled its engine has applied what git has */
  judged(id: Id, settled: boolean): void
  close(): Promise<void>
}

interface Behind {
  readonly pause: number
  readonly dueAt: number
}

export function startReminder({ writer, api, clock, onError }: ReminderOptions): Reminder {
  const behind = new Map<Id, Behind>()
  const loop: Loop = startLoop({ clock, interval: BEAT_MILLISECONDS, run, onError })
  async function run(): Promise<void> {
    if (behind.size === 0 || !api.contact.connected) return
    const now = clock.now()
    const due = [...behind].filter(([, { dueAt }]) => dueAt <= now).slice(0, MOST_AT_ONCE)
    for (const [id, { pause }] of due) {
      const next = Math.min(pause * 2, LONGEST_PAUSE)
      behind.set(id, { pause: next, dueAt: now + next })
      await remind(id, String(now)).catch(onError)
    }
  }
  async function remind(id: Id, token: string): Promise<void> {
    const { fleet } = writer
    const cluster = fleet.installation(id)?.spec.placement?.cluster
    if (cluster === undefined || fleet.settings.spec.nudgeEngines === false) return void behind.delete(id)
    await tell(api, installationNudge(engineOf(fleet, cluster), cluster, id, token))
  }
  return {
    judged(id, settled) {
      if (settled) behind.delete(id)
      else if (!behind.has(id)) behind.set(id, { pause: FIRST_PAUSE, dueAt: clock.now() + FIRST_PAUSE })
    },
    close: () => loop.close(),
  }
}
