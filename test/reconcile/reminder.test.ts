import { test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import { clusterPath, installationPath } from '../../src/fleet/paths.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { startReminder } from '../../src/reconcile/reminder.ts'
import { cluster, id, installation, settings } from '../support/intents.ts'

/** Time that the test moves; the loop beats all the time. */
function clock(): Clock & { time: number } {
  return {
    time: 0,
    now() {
      return this.time
    },
    monotonic: () => performance.now(),
    sleep: () => new Promise((resolve) => setTimeout(resolve, 1)),
  }
}

function stage(found = true) {
  const fleet = new FleetIndex(settings({ engine: 'argocd' }))
  const placed = installation('acme', 1, { placement: { cluster: 'prod-1' } })
  fleet.apply([
    { path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) },
    { path: installationPath('prod-1', id(1)), before: undefined, after: placed },
  ])
  const told: string[] = []
  const time = clock()
  const reminder = startReminder({
    writer: { fleet },
    api: {
      contact: { connected: true, lastContact: 0 },
      async annotate(kind, _namespace, name) {
        told.push(`${kind.kind} ${name}`)
        if (!found && kind.kind === 'Application') throw new FleetError('not-found', 'none')
      },
    },
    clock: time,
    onError: () => undefined,
  })
  const beat = () => new Promise((resolve) => setTimeout(resolve, 15))
  return { reminder, told, time, beat }
}

test('an engine that is behind is told again, with growing pauses, until it is there', async (t) => {
  const { reminder, told, time, beat } = stage()
  t.teardown(() => reminder.close())
  reminder.judged(id(1), false)
  await beat()
  t.strictSame(told, [], 'the first nudge has its time')
  const counts: number[] = []
  for (const at of [4_000, 11_999, 12_000, 27_999, 28_000]) {
    time.time = at
    reminder.judged(id(1), false)
    await beat()
    counts.push(told.length)
  }
  t.strictSame(counts, [1, 1, 2, 2, 3])
  reminder.judged(id(1), true)
  time.time = 1_000_000
  await beat()
  t.equal(told.length, 3)
  t.equal(told[0], `Application mm-${id(1)}`)
})

test('where there is no Application yet, what makes it is told', async (t) => {
  const { reminder, told, time, beat } = stage(false)
  t.teardown(() => reminder.close())
  reminder.judged(id(1), false)
  time.time = 5_000
  await beat()
  t.strictSame(told, [`Application mm-${id(1)}`, 'ApplicationSet prod-1-installations'])
})

test('what is not in the fleet any more is forgotten', async (t) => {
  const { reminder, told, time, beat } = stage()
  t.teardown(() => reminder.close())
  reminder.judged(id(2), false)
  time.time = 5_000
  await beat()
  t.strictSame(told, [])
})
