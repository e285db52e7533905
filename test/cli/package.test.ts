import { cp, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { ROOT, runProcess } from '../support/command-line.ts'

test('the packed package runs from under node_modules, where Node strips no types', async (t) => {
  const folder = t.testdir({})
  const packed = await runProcess('npm', ['pack', '--silent', '--pack-destination', folder], { cwd: ROOT })
  t.equal(packed.code, 0, packed.stderr)
  const [tarball = ''] = packed.stdout.trim().split('\n').slice(-1)
  const home = join(folder, 'node_modules/fleetwright')
  await mkdir(home, { recursive: true })
  const unpacked = await runProcess('tar', [
    '-xzf',
    join(folder, tarball),
    '-C',
    home,
    '--strip-components',
    '1',
  ])
  t.equal(unpacked.code, 0, unpacked.stderr)
  // What npm would install; .ci/run installs it for real.
  await symlink(join(ROOT, 'node_modules'), join(home, 'node_modules'))
  const run = (...args: readonly string[]): ReturnType<typeof runProcess> =>
    runProcess(process.execPath, [join(home, 'bin/fleetwright.js'), ...args])
  t.match(await run('--version'), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/ })
  t.match(await run('init', join(folder, 'fleet'), '--domain', 'cloud.example.org'), { code: 0 })
  t.match(await run('render', '--check', join(folder, 'fleet')), { code: 0 })
})

/** A Node of this machine that is too old, if it has one. */
async function olderNode(): Promise<string | undefined> {
  const { stdout } = await runProcess('which', ['-a', 'node'])
  for (const path of stdout.trim().split('\n')) {
    const { stdout: version } = await runProcess(path, ['--version'])
    if (Number(/^v(\d+)/.exec(version)?.[1]) < 24) return path
  }
  return undefined
}

const old = await olderNode()
const skip = old === undefined ? 'no older Node on this machine' : false

test('an older Node gets one clear line; in a checkout the command starts its own', { skip }, async (t) => {
  const folder = t.testdir({})
  await cp(join(ROOT, 'bin'), join(folder, 'bin'), { recursive: true })
  await cp(join(ROOT, 'package.json'), join(folder, 'package.json'))
  const refused = await runProcess(old ?? '', [join(folder, 'bin/fleetwright.js'), 'validate'])
  t.match(refused, { code: 2, stdout: '' })
  t.match(refused.stderr, /^fleetwright needs Node 24 or newer; this is Node \d+\.\d+\.\d+\. .*\n$/)
  const own = await runProcess(old ?? '', [join(ROOT, 'bin/fleetwright.js'), 'validate', folder])
  t.match(own, { code: 2, stderr: /fleet\.yaml is missing/ })
})
