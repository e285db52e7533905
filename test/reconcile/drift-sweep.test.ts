import { type Test, test } from 'tap'
import type { Slug } from '../../src/fleet/intents.ts'
import { MATTERMOST } from '../../src/fleet/observed/mattermost.ts'
import { startDriftSweep } from '../../src/reconcile/drift-sweep.ts'
import type { SweepResult } from '../../src/reconcile/sweep-cluster.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { document, driftWorld, type DriftWorld, ID, mattermost } from '../support/drift-world.ts'
import { until } from '../support/until.ts'

const CLUSTER = 'prod-1'

function sweep({ detector }: DriftWorld): Promise<SweepResult> {
  return detector.sweep(CLUSTER, [ID], new AbortController().signal)
}

test('what the watches did not tell is found', async (t) => {
  const cases = [
    { what: 'an edit', happens: (bed: DriftWorld) => bed.steal(mattermost(5)), type: 'changed' },
    { what: 'a removal', happens: (bed: DriftWorld) => bed.live.clear(), type: 'missing' },
    {
      what: 'something that git has no more',
      happens(bed: DriftWorld) {
        bed.wanted = []
      },
      type: 'extra',
    },
  ]
  for (const { what, happens, type } of cases)
    await t.test(what, async (t) => {
      const bed = driftWorld(t, [document(2)])
      bed.put(mattermost(2))
      await bed.quiet()
      happens(bed)
      await sweep(bed)
      t.match(await bed.until(1), [{ type, installation: ID }])
    })
})

test('drift that was put right unseen is gone after a sweep', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.put(mattermost(5))
  await bed.until(1)
  bed.steal(mattermost(2))
  await sweep(bed)
  await bed.until(0)
})

test('what was compared before is not compared again, and its manifests are not read', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.steal(mattermost(2))
  t.match(await sweep(bed), { objects: 1, compared: 1, suspects: 0 }, 'the first one compares')
  const { parsed } = bed
  t.match(await sweep(bed), { objects: 1, compared: 0, suspects: 0 })
  t.equal(bed.parsed, parsed)
  bed.wanted = [document(3)]
  t.match(await sweep(bed), { compared: 1, suspects: 1 }, 'other manifests')
})

test('of a kind that may not be listed nothing is said, and the refusal is told', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.put(mattermost(2))
  await bed.quiet()
  bed.forbidden = MATTERMOST
  await t.rejects(sweep(bed), { code: 'cluster-forbidden' })
  await bed.quiet()
})

function sweeps(t: Test, clusters: () => readonly Slug[], fails: Slug): readonly Slug[] {
  const swept: Slug[] = []
  let running = 0
  const loop = startDriftSweep({
    detector: {
      async sweep(cluster) {
        running += 1
        t.equal(running, 1, 'one at a time')
        await systemClock.sleep(1)
        running -= 1
        if (cluster === fails) throw new Error('no contact')
        swept.push(cluster)
        return { objects: 0, compared: 0, suspects: 0 }
      },
    },
    clusters,
    installationsOn: () => [ID],
    interval: 20,
    clock: systemClock,
    randomness: systemRandomness,
    onError: (error) => t.match(error, { message: 'no contact' }),
  })
  t.teardown(() => loop.close())
  return swept
}

test('clusters are swept in turn, again and again, also when one of them fails', async (t) => {
  const swept = sweeps(t, () => ['a', 'b', 'c'], 'b')
  await until(
    async () => swept,
    (all) => ['a', 'c'].every((name) => all.filter((one) => one === name).length >= 3),
  )
  t.notOk(swept.includes('b'))
})

test('a manifest in git that cannot be read is left out, and hides nothing later', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.unreadable = true
  bed.put(mattermost(5))
  await bed.quiet()
  t.match(await sweep(bed), { objects: 0 }, 'the sweep goes on without it')
  bed.unreadable = false
  bed.detector.wantedChanged(CLUSTER, ID)
  t.match(await bed.until(1), [{ type: 'changed', installation: ID }])
})
