import { test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { APPLIED, document, driftWorld, EDITED, ID, mattermost } from '../support/drift-world.ts'

test('an edit by hand is reported with field, values and manager, and gone when it is put right', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.put(mattermost(2))
  await bed.quiet()
  bed.put(mattermost(5, [APPLIED, EDITED]))
  const [drift] = await bed.until(1)
  t.match(drift, {
    cluster: 'prod-1',
    installation: ID,
    type: 'changed',
    object: { kind: 'Mattermost', namespace: ID, name: 'mm' },
    fields: [
      { path: 'spec.replicas', wanted: 2, found: 5, manager: { name: 'kubectl-edit', operation: 'Update' } },
    ],
    confirmedBy: 'dry-run',
  })
  bed.put(mattermost(2))
  await bed.until(0)
})

test('what is put right before the second look is not reported', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.put(mattermost(2))
  bed.put(mattermost(5))
  await new Promise((resolve) => setTimeout(resolve, 50))
  bed.put(mattermost(2))
  await bed.quiet()
})

test('while the engine has not applied what git has, nothing is drift', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.settled = false
  bed.put(mattermost(5))
  await bed.quiet()
  bed.settled = true
  await bed.until(1)
})

test('what admission changes each time is not drift', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.dryRun = () => mattermost(5)
  bed.put(mattermost(5))
  await bed.quiet()
})

test('without the right to a dry run a second look decides', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.dryRun = () => {
    throw new FleetError('cluster-forbidden', 'no')
  }
  bed.put(mattermost(5))
  t.match(await bed.until(1), [{ confirmedBy: 'second-look' }])
})

test('what is gone is missing, what git has no more is extra, what others made is theirs', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.put(mattermost(2))
  bed.put(mattermost(1, [], 'by-hand'))
  await bed.quiet()
  bed.remove(mattermost(2))
  t.match(await bed.until(1), [{ type: 'missing', object: { name: 'mm' } }])
  bed.put(mattermost(2))
  await bed.until(0)
  bed.wanted = []
  bed.detector.wantedChanged('prod-1', ID)
  t.match(await bed.until(1), [{ type: 'extra', object: { name: 'mm' } }])
  bed.remove(mattermost(2))
  await bed.until(0)
})

test('without contact nothing is looked at, and everything is once there is contact again', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.connected = false
  bed.put(mattermost(5))
  await bed.quiet()
  bed.connected = true
  bed.detector.contact('prod-1')
  await bed.until(1)
})

test('what was never there is missing once the engine says that it applied it', async (t) => {
  const bed = driftWorld(t, [document(2)])
  bed.detector.wantedChanged('prod-1', ID)
  t.match(await bed.until(1), [{ type: 'missing', confirmedBy: 'second-look' }])
})
