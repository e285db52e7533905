import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { fleetwright, runHere, startFleetwright } from '../support/command-line.ts'

test('tokens are created, listed and revoked while the server runs, which heeds it at once', async (t) => {
  const data = join(t.testdir({}), 'data')
  const server = startFleetwright(['serve', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn'])
  t.teardown(() => server.stop('SIGTERM'))
  const [, url = ''] = /API {4}(\S+)/.exec(await server.waitFor(/Ctrl-C/)) ?? []
  const statusWith = async (token: string, method = 'GET'): Promise<number> =>
    (await fetch(`${url}/api/groups`, { method, headers: { Authorization: `Bearer ${token}` } })).status

  const created = await fleetwright([
    'token',
    'create',
    'portal',
    '--role',
    'writer',
    '--json',
    '--data',
    data,
  ])
  t.equal(created.code, 0, created.stderr)
  const { token } = JSON.parse(created.stdout)
  t.match(token, /^fwt_/)
  t.equal(await statusWith(token), 200)
  const reader = (await fleetwright(['token', 'create', 'dashboard', '--data', data])).stdout.trim()
  t.equal(await statusWith(reader), 200)
  t.equal(await statusWith(reader, 'POST'), 403, 'a reader reads')

  const listed = await fleetwright(['token', 'list', '--data', data])
  t.match(listed.stdout, /^admin +admin .*\nportal +writer .*\ndashboard +reader /)
  t.notMatch(listed.stdout + readFileSync(join(data, 'tokens.json'), 'utf8'), token)

  t.equal((await fleetwright(['token', 'revoke', 'portal', '--data', data])).code, 0)
  t.equal(await statusWith(token), 401, 'revoked')
  t.equal(await statusWith(reader), 200, 'the others stay')
  const last = await runHere(['token', 'revoke', 'admin', '--data', data])
  t.match(last, { code: 1, stdout: /admin is the last admin token/ })
})

test('several processes that create tokens at the same time lose none', async (t) => {
  const data = t.testdir({})
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const ran = await Promise.all(names.map((name) => fleetwright(['token', 'create', name, '--data', data])))
  t.same(
    ran.map(({ code }) => code),
    names.map(() => 0),
  )
  const { stdout } = await fleetwright(['token', 'list', '--json', '--data', data])
  t.same(
    JSON.parse(stdout)
      .tokens.map(({ name }: { name: string }) => name)
      .sort(),
    names,
  )
})

test('wrong use of tokens is said', async (t) => {
  const data = t.testdir({})
  const taken = await runHere(['token', 'create', 'x', '--data', data])
  t.equal(taken.code, 0)
  t.match(await runHere(['token', 'create', 'x', '--data', data]), {
    code: 1,
    stdout: /There is a token x already/,
  })
  t.match(await runHere(['token', 'create', 'A B', '--data', data]), {
    code: 2,
    stdout: /A token name is/,
  })
  t.match(await runHere(['token', 'create', 'y', '--role', 'root', '--data', data]), {
    code: 2,
    stdout: /Allowed choices are reader, writer, admin/,
  })
  t.match(await runHere(['token', 'revoke', 'z', '--data', data]), {
    code: 1,
    stdout: /There is no token z/,
  })
  t.match(await runHere(['token', 'list', '--data', join(data, 'no')]), {
    code: 2,
    stdout: /no data directory/,
  })
})
