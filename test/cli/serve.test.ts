import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { createServer } from 'node:net'
import { join } from 'node:path'
import { test } from 'tap'
import { fleetwright, runProcess, startFleetwright } from '../support/command-line.ts'

const READY = /Stop {3}Ctrl-C/
const ESCAPE = '\u001b'

function serveArguments(data: string): readonly string[] {
  return ['serve', '--demo', '--data', data, '--listen', '127.0.0.1:0', '--log-level', 'warn']
}

test('the first start plays the example, the printed clone works, the second one stays up without it', async (t) => {
  const folder = t.testdir({})
  const data = join(folder, 'data')
  const first = startFleetwright(serveArguments(data))
  const shown = await first.waitFor(READY)
  t.notMatch(shown, ESCAPE, 'no colours in a pipe')
  t.equal([...shown.matchAll(/^ {3}→ 20[02]\b/gm)].length, 5)
  t.match(shown, /commit [0-9a-f]{12} {2}Create installation globex on prod-1/)
  const [played = ''] = shown.split('Fleetwright is up')
  t.ok(
    played.split('\n').every((line) => line.length <= 100),
    'fits a terminal',
  )
  const [, ...clone] = (/git clone \S+/.exec(shown)?.[0] ?? '').split(' ')
  const cloned = await runProcess('git', [...clone, join(folder, 'clone')])
  t.equal(cloned.code, 0, cloned.stderr)
  const checked = await fleetwright(['render', '--check', join(folder, 'clone')])
  t.equal(checked.code, 0, checked.stdout)

  const ended = await first.stop('SIGINT')
  t.equal(ended.code, 0, ended.stderr)
  t.equal(ended.stderr, '')
  const second = startFleetwright(serveArguments(data))
  const again = await second.waitFor(READY)
  t.notMatch(again, /example requests/)
  t.match(again, /fleetwright token create <name> --role admin --data/)
  t.notMatch(again, /fwt_/, 'the token is shown once')
  t.equal((await second.stop('SIGTERM')).code, 0)
})

test('a change that is under way when SIGTERM comes is finished and in the history', async (t) => {
  const data = join(t.testdir({}), 'data')
  const server = startFleetwright(serveArguments(data))
  const shown = await server.waitFor(READY)
  const [, url = ''] = /API {4}(\S+)/.exec(shown) ?? []
  const [token = ''] = /fwt_\S+/.exec(shown) ?? []
  const create = (name: string): Promise<Response> =>
    fetch(`${url}/api/groups`, {
      method: 'POST',
      headers: { Authorization: `Bearer ${token}` },
      body: JSON.stringify({ Name: name, MaxRolling: 1 }),
    })
  const answers = Array.from({ length: 20 }, (_, at) => create(`ring-${at}`))
  await Promise.any(answers)
  const [, settled] = await Promise.all([server.stop('SIGTERM'), Promise.allSettled(answers)])
  const accepted = settled.filter((answer) => answer.status === 'fulfilled' && answer.value.ok).length
  const log = await runProcess('git', ['--git-dir', join(data, 'fleet.git'), 'log', '--format=%s', 'main'])
  t.ok(accepted > 0)
  t.ok([...log.stdout.matchAll(/^Create group ring-/gm)].length >= accepted)
})

test('a port in use is said, with what to do, before anything is written', async (t) => {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  t.teardown(() => other.close())
  const address = other.address()
  const port = typeof address === 'object' ? address?.port : undefined
  const data = join(t.testdir({}), 'data')
  const { code, stderr } = await fleetwright(['serve', '--data', data, '--listen', `127.0.0.1:${port}`])
  t.equal(code, 2)
  t.match(stderr, /^fleetwright: Cannot listen on 127\.0\.0\.1:\d+: another program listens there.*--listen/)
  t.notOk(existsSync(data))
})
