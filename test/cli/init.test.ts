import { join } from 'node:path'
import { test } from 'tap'
import { newFleetFiles } from '../../src/cli/new-fleet.ts'
import { createDocuments } from '../../src/fleet/documents.ts'
import { FLEET_PATH } from '../../src/fleet/paths.ts'
import { fleetwright, runHere, runProcess, startFleetwright } from '../support/command-line.ts'
import { GIT_TOKEN, startGitServer } from '../support/git-server/server.ts'

test('init makes a folder that is valid, rendered and committed', async (t) => {
  const folder = join(t.testdir({}), 'fleet')
  const made = await fleetwright([
    'init',
    folder,
    '--domain',
    'cloud.example.org',
    '--engine',
    'flux',
    '--json',
  ])
  t.equal(made.code, 0, made.stderr)
  const { commit, files } = JSON.parse(made.stdout)
  t.same(files, [
    '.gitattributes',
    'CODEOWNERS',
    'README.md',
    'fleet.yaml',
    'control/argocd/_fleet.yaml',
    'control/flux/_fleet.yaml',
    'control/health-checks/argocd.yaml',
    'control/health-checks/flux.yaml',
  ])
  const log = await runProcess('git', ['log', '--format=%H %s', 'main'], { cwd: folder })
  t.equal(log.stdout, `${commit} Create fleet fleet\n`)
  t.equal((await runProcess('git', ['status', '--porcelain'], { cwd: folder })).stdout, '')
  t.match(await runHere(['validate', folder]), { code: 0 })
  t.match(await runHere(['render', '--check', folder]), { code: 0 })
  t.match(await runHere(['init', folder, '--domain', 'x.example']), {
    code: 2,
    stdout: /has .*fleet\.yaml.* already/,
  })
})

test('init makes a bare repository that serve takes, and takes an empty one, once', async (t) => {
  const folder = t.testdir({})
  const bare = join(folder, 'made.git')
  t.match(await runHere(['init', bare, '--domain', 'cloud.example.org']), {
    code: 0,
    stdout: /^Created fleet made /,
  })
  t.match(await runHere(['init', bare, '--domain', 'cloud.example.org']), {
    code: 2,
    stdout: /has a main branch already/,
  })
  const empty = join(folder, 'empty.git')
  await runProcess('git', ['init', '--quiet', '--bare', empty])
  t.match(await runHere(['init', empty, '--domain', 'cloud.example.org', '--name', 'two']), { code: 0 })

  const data = join(folder, 'data')
  const server = startFleetwright([
    'serve',
    '--fleet',
    bare,
    '--data',
    data,
    '--listen',
    '127.0.0.1:0',
    '--log-level',
    'warn',
  ])
  const shown = await server.waitFor(/Ctrl-C/)
  t.match(shown, `Fleet  ${bare}`)
  const ended = await server.stop('SIGTERM')
  t.match(ended, { code: 0, stderr: '' })
})

test('init refuses names that no fleet can have', async (t) => {
  const folder = join(t.testdir({}), 'fleet')
  t.match(await runHere(['init', folder, '--domain', 'no domain']), {
    code: 2,
    stdout: /\nfleet\.yaml:\d+:\d+: /,
  })
  t.match(await runHere(['init', folder, '--domain', 'a.example', '--engine', 'helm']), {
    code: 2,
  })
  t.match(await runHere(['init', folder]), { code: 2 })
})

test('the commented settings of the new fleet.yaml are valid too', async (t) => {
  const [settings] = newFleetFiles({
    name: 'x',
    domain: 'cloud.example.org',
    engine: 'argocd',
    repositoryUrl: 'https://git.example.org/fleet.git',
  }).filter(({ path }) => path === FLEET_PATH)
  const text = (settings?.text ?? '').replaceAll(/^ {2}# ([a-zA-Z]+:$| {2,}\S)/gm, '  $1')
  t.match(text, /^ {2}aws:\n {4}region: /m)
  t.match(text, /^ {2}vpcs:\n {4}- vpc-/m)
  t.same(createDocuments().parse(FLEET_PATH, text).problems, [])
})

test('init fills an empty repository on a git server, with a token that no argument and no message shows', async (t) => {
  const server = await startGitServer()
  t.teardown(() => server.close())
  const args = ['init', server.url, '--domain', 'cloud.example.org', '--name', 'remote']
  const denied = await runHere(args, { FLEETWRIGHT_FLEET_TOKEN: 'wrong-token' })
  t.equal(denied.code, 1)
  t.match(denied.stdout, /does not let git in/)
  t.notMatch(denied.stdout, /wrong-token/)
  const file = join(t.testdir({ token: `${GIT_TOKEN}\n` }), 'token')
  const made = await runHere([...args, '--json', '--fleet-token-file', file])
  t.equal(made.code, 0, made.stdout)
  t.equal(server.git('rev-parse', 'main').trim(), JSON.parse(made.stdout).commit)
  t.match(server.git('show', 'main:fleet.yaml'), `url: ${server.url}`)
  t.match(await runHere(args, { FLEETWRIGHT_FLEET_TOKEN: GIT_TOKEN }), {
    code: 2,
    stdout: /main branch already/,
  })
  t.match(await runHere(['init', server.url.replace('//', '//me:secret@'), '--domain', 'a.example']), {
    code: 2,
    stdout: /must not hold a user name or token/,
  })

  const data = join(t.testdirName, 'data')
  const flags = ['--fleet', server.url, '--fleet-token-file', file, '--data', data, '--listen', '127.0.0.1:0']
  const running = startFleetwright(['serve', ...flags, '--log-level', 'warn'])
  t.match(await running.waitFor(/Ctrl-C/), `git clone ${server.url}`)
  t.match(await running.stop('SIGTERM'), { code: 0, stderr: '' })
})
