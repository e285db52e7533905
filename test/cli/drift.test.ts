import { test } from 'tap'
import type { Drift } from '../../src/ports/drifts.ts'
import { createStable, importCluster } from '../support/api.ts'
import { fleetwright, runHere } from '../support/command-line.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

const server = await startTestServer('all')
const environment = { FLEETWRIGHT_SERVER: server.url, FLEETWRIGHT_TOKEN: TOKEN }
await importCluster(server.url)
await importCluster(server.url, 'prod-2')
const acme = await createStable(server, 'acme')
const other = await createStable(server, 'other')

function edited(installation: Drift['installation'], cluster: string): Drift {
  return {
    cluster,
    installation,
    type: 'changed',
    object: {
      ...{ apiVersion: 'installation.mattermost.com/v1beta1', kind: 'Mattermost' },
      ...{ namespace: installation, name: 'mm' },
    },
    fields: [
      {
        path: 'spec.mattermostEnv[name=MM_SOMETHING].value',
        wanted: 'a'.repeat(300),
        manager: { name: 'kubectl-edit', operation: 'Update', at: '2026-11-24T11:00:00Z' },
      },
      { path: 'spec.replicas', wanted: 2, found: 5 },
    ],
    since: Date.parse('2026-11-24T11:00:01Z'),
    confirmedBy: 'dry-run',
  }
}

function find(...drifts: readonly Drift[]): void {
  Object.assign(server.server.parts.drifts, { all: () => drifts, of: () => drifts })
}

test('without drift it says so, and is fine', async (t) => {
  find()
  t.match(await fleetwright(['drift'], { environment }), { code: 0, stdout: 'No drift.\n', stderr: '' })
})

test('drift is told by object and field, within a line, and is a failure', async (t) => {
  find(edited(acme, 'prod-1'), edited(other, 'prod-2'))
  const { code, stdout } = await runHere(['drift'], environment)
  t.equal(code, 1)
  t.match(
    stdout,
    /^changed {2}Mattermost mm\n {2}installation acme on prod-1, since 2026-11-24T11:00:01.000Z$/m,
  )
  t.match(stdout, /^ {4}found {3}nothing\n {4}by {6}kubectl-edit, 2026-11-24T11:00:00Z$/m)
  t.match(stdout, /^ {2}spec\.replicas\n {4}wanted {2}2\n {4}found {3}5$/m)
  t.match(stdout, /2 differences in 2 installations/)
  for (const line of stdout.split('\n')) t.ok(line.length <= 100, line)
})

test('one cluster, one installation by name', async (t) => {
  const json = async (...args: readonly string[]) => {
    const { code, stdout } = await runHere(['drift', '--json', ...args], environment)
    return { code, drift: JSON.parse(stdout).drift }
  }
  t.match(await json('--cluster', 'prod-2'), { code: 1, drift: [{ installation: other, name: 'other' }] })
  t.match(await json('--installation', 'acme'), { code: 1, drift: [{ installation: acme, name: 'acme' }] })
  const none = await json('--installation', 'acme', '--cluster', 'prod-2')
  t.strictSame(none, { code: 0, drift: [] })
})

test('what is not there is said', async (t) => {
  t.match(await runHere(['drift', '--cluster', 'nowhere'], environment), {
    code: 1,
    stdout: /There is no cluster nowhere/,
  })
  t.match(await runHere(['drift', '--installation', 'prod-1'], environment), {
    code: 1,
    stdout: /prod-1 is a cluster/,
  })
})

test('the overview counts what drifts', async (t) => {
  const { stdout } = await runHere(['status'], environment)
  t.match(stdout, /^Health\n {7}2 {2}\S+/m)
  t.match(stdout, /2 installations with drift/)
})

test('the server closes', (t) => t.resolves(server.close()))
