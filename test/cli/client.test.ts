import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { fleetwright, runHere } from '../support/command-line.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

test('status, history and plan ask the server', async (t) => {
  const server = await startTestServer('all')
  t.teardown(() => server.close())
  const environment = { FLEETWRIGHT_SERVER: server.url, FLEETWRIGHT_TOKEN: TOKEN }
  const post = async (path: string, body: object): Promise<{ readonly ID: string }> => {
    const headers = { Authorization: `Bearer ${TOKEN}` }
    const response = await fetch(`${server.url}${path}`, {
      method: 'POST',
      headers,
      body: JSON.stringify(body),
    })
    if (!response.ok) throw new Error(await response.text())
    return JSON.parse(await response.text())
  }
  await post('/api/clusters/import', {
    'external-cluster-secret-name': 'prod-1',
    'allow-installations': true,
  })
  await post('/api/groups', { Name: 'canary', Version: '11.2.0', MaxRolling: 1 })
  const acme = {
    Name: 'acme',
    OwnerID: 'acme-inc',
    DNSNames: ['acme.cloud.example.com'],
    Affinity: 'multitenant',
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
  }
  const { ID: id } = await post('/api/installations', acme)

  await t.test('the fleet', async (t) => {
    const text = await fleetwright(['status'], { environment })
    t.equal(text.code, 0, text.stderr)
    t.match(text.stdout, /^Fleet example .*argocd, main [0-9a-f]{12}/)
    t.match(text.stdout, /^ {2}prod-1 {2}1 of 400 installations {2}creation-requested +never answered$/m)
    const json = await runHere(['status', '--json'], environment)
    t.match(JSON.parse(json.stdout), { fleet: 'example', installations: { total: 1 }, problems: [] })
  })

  await t.test('one installation, by name and by id', async (t) => {
    for (const name of ['acme', id]) {
      const { code, stdout } = await runHere(['status', name], environment)
      t.equal(code, 0)
      t.match(stdout, `Installation acme  ${id}`)
      t.match(stdout, /Address {3}acme\.cloud\.example\.com/)
      for (const label of ['Requested', 'Committed', 'Synced', 'Live', 'Working', 'Seen'])
        t.match(stdout, new RegExp(`^  ${label} +\\S`, 'm'))
      t.match(stdout, /^ {2}Seen {6}never: .*credentials/m)
    }
    t.match(await runHere(['status', 'nobody'], environment), {
      code: 1,
      stdout: /There is no installation, cluster or group nobody/,
    })
  })

  await t.test('history', async (t) => {
    const all = await runHere(['history', '--json'], environment)
    t.equal(JSON.parse(all.stdout).commits.length, 4)
    const one = await runHere(['history', 'acme', '--patch'], environment)
    t.match(one.stdout, /^[0-9a-f]{12} .* admin\n {2}Create installation acme on prod-1\n/)
    t.match(one.stdout, /^\+kind: Installation$/m)
    t.match((await runHere(['history', 'canary'], environment)).stdout, /Create group canary/)
    t.match(await runHere(['history', '--limit', '0'], environment), { code: 2 })
  })

  await t.test('plan of a request body', async (t) => {
    const path = join(t.testdir({}), 'request.json')
    await writeFile(path, JSON.stringify({ ...acme, Name: 'globex', DNSNames: ['globex.cloud.example.com'] }))
    const planned = await runHere(['plan', '--request', path], environment)
    t.equal(planned.code, 0)
    t.match(planned.stdout, /^Create installation globex on prod-1\n/)
    t.match(planned.stdout, /\+ manifest\.yaml +\+\d+/)
    await writeFile(path, JSON.stringify(acme))
    t.match(await runHere(['plan', '--request', path], environment), {
      code: 1,
      stdout: /in use by installation/,
    })
  })

  await t.test('what waits makes status exit with 1', async (t) => {
    await post('/api/installations', {
      ...acme,
      Name: 'alone',
      DNSNames: ['alone.cloud.example.com'],
      Affinity: 'isolated',
    })
    const { code, stdout } = await runHere(['status'], environment)
    t.equal(code, 1)
    t.match(stdout, /^1 installation waiting for a cluster\n {2}alone {2}\S/m)
  })

  await t.test('the token: from a file, wrong, missing', async (t) => {
    const file = join(t.testdir({}), 'token')
    await writeFile(file, `${TOKEN}\n`)
    const { FLEETWRIGHT_TOKEN: _, ...without } = environment
    t.match(await runHere(['status', '--token-file', file], without), { stdout: /Fleet example/ })
    t.match(await runHere(['status'], without), { code: 2, stdout: /FLEETWRIGHT_TOKEN/ })
    t.match(await runHere(['status'], { ...without, FLEETWRIGHT_TOKEN: 'fwt_wrong' }), {
      code: 1,
      stdout: /not known here, or was revoked/,
    })
  })
})

test('a server that is not there, or is none, is said', async (t) => {
  const environment = { FLEETWRIGHT_TOKEN: TOKEN }
  t.match(await runHere(['status', '--server', 'http://127.0.0.1:1'], environment), {
    code: 1,
    stdout: /No server answers at http:\/\/127\.0\.0\.1:1 \(.*\); start one with fleetwright serve/,
  })
  t.match(await runHere(['status', '--server', 'ftp://x'], environment), {
    code: 2,
    stdout: /must be an http or https URL/,
  })
  t.match(await runHere(['status', '--server', 'http://me:secret@127.0.0.1'], environment), {
    code: 2,
    stdout: /must not hold a token/,
  })
})
