import { test } from 'tap'
import type { JsonObject } from '../../../src/fleet/intents.ts'
import { applicationChart, keepHelmRelease, releaseChart } from '../../../src/fleet/observed/charts.ts'
import { keepApplication } from '../../../src/fleet/observed/engines.ts'
import type { LiveObject } from '../../../src/fleet/observed/objects.ts'

const COMMIT = 'a'.repeat(40)

function object(kind: string, status: JsonObject): LiveObject {
  return { apiVersion: 'x/v1', kind, metadata: { name: 'prod-1-nginx', namespace: 'engine' }, status }
}

const APPLICATIONS: readonly (readonly [string, JsonObject, string | undefined])[] = [
  ['synced', { sync: { status: 'Synced', revision: '4.11.1' } }, '4.11.1'],
  [
    'a new version that is not applied: the old one runs',
    {
      sync: { status: 'OutOfSync', revision: '4.12.0' },
      operationState: { phase: 'Succeeded', syncResult: { revision: '4.11.1' } },
    },
    '4.11.1',
  ],
  [
    'a first sync that failed',
    {
      sync: { status: 'OutOfSync', revision: '4.11.1' },
      operationState: { phase: 'Failed', syncResult: { revision: '4.11.1' } },
    },
    undefined,
  ],
  ['a commit is no chart', { sync: { status: 'Synced', revision: COMMIT } }, undefined],
  ['nothing', {}, undefined],
]

const RELEASES: readonly (readonly [string, JsonObject, string | undefined])[] = [
  ['deployed', { history: [{ chartVersion: '4.11.1', status: 'deployed' }] }, '4.11.1'],
  [
    'an upgrade that failed: the one before runs',
    {
      history: [
        { chartVersion: '4.12.0', status: 'failed' },
        { chartVersion: '4.11.1', status: 'deployed' },
      ],
    },
    '4.11.1',
  ],
  ['not installed', { history: [{ chartVersion: '4.12.0', status: 'pending-install' }] }, undefined],
  ['nothing', {}, undefined],
]

test('the chart that runs is the one that the engine has applied', async (t) => {
  for (const [what, status, chart] of APPLICATIONS)
    t.equal(applicationChart(keepApplication(object('Application', status))), chart, what)
  for (const [what, status, chart] of RELEASES)
    t.equal(releaseChart(keepHelmRelease(object('HelmRelease', status))), chart, what)
})
