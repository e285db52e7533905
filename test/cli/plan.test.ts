import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { test } from 'tap'
import { fleetwright, runHere, runProcess } from '../support/command-line.ts'
import { ACME_FOLDER, commitAll, GLOBEX, GLOBEX_FOLDER, write, writeFleet } from '../support/fleet-folder.ts'

const REQUEST =
  'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: initech\nspec:\n  owner: initech\n'

async function checkout(folder: string): Promise<string> {
  await writeFleet(folder)
  await commitAll(folder, 'Start')
  return folder
}

async function edit(folder: string, path: string, from: string, to: string): Promise<void> {
  await write(folder, path, (await readFile(join(folder, path), 'utf8')).replace(from, to))
}

interface Difference {
  readonly kind: string
  readonly name: string
  readonly change: string
  readonly fields: readonly unknown[]
  readonly files: readonly { readonly path: string }[]
}

test('diff tells what a checkout changes, by object and field, and exits with 1', async (t) => {
  const folder = await checkout(t.testdir({}))
  t.match(await fleetwright(['diff'], { cwd: folder }), {
    code: 0,
    stdout: /^Nothing differs since [0-9a-f]{12}\.\n$/,
  })
  await edit(folder, `${GLOBEX_FOLDER}/installation.yaml`, 'owner: owner', 'owner: somebody')
  await write(folder, 'requests/initech.yaml', REQUEST)
  const found = await fleetwright(['diff', '--json'], { cwd: folder })
  t.equal(found.code, 1)
  t.match(JSON.parse(found.stdout).differences, [
    {
      kind: 'installation',
      name: 'globex',
      id: GLOBEX,
      cluster: 'prod-1',
      change: 'changed',
      fields: [{ field: 'spec.owner', before: 'owner', after: 'somebody' }],
      files: [{ path: `${GLOBEX_FOLDER}/installation.yaml`, added: 1, removed: 1 }],
    },
    { kind: 'request', name: 'initech', change: 'added' },
  ])
  const patch = await runHere(['diff', '--patch', '--dir', folder])
  t.match(patch.stdout, /^- {2}owner: owner\n\+ {2}owner: somebody$/m)
  await commitAll(folder, 'Change')
  t.match(await runHere(['diff', '--dir', folder]), { code: 0 }, 'nothing is uncommitted')
  t.match(
    (await runHere(['diff', '--dir', folder, 'HEAD~1', 'HEAD'])).stdout,
    /spec\.owner: owner → somebody/,
  )
  t.match(await runHere(['diff', '--dir', folder, 'nope']), { code: 2, stdout: /There is no commit nope/ })
})

test('diff and plan look at what is ahead of the branch that is followed', async (t) => {
  const origin = await checkout(t.testdir({ origin: {} }).concat('/origin'))
  const folder = join(t.testdirName, 'clone')
  await runProcess('git', ['clone', '--quiet', origin, folder])
  await edit(folder, 'groups/canary.yaml', '"11.2.0"', '"11.3.0"')
  await commitAll(folder, 'Newer version')
  t.match(await runHere(['diff', '--dir', folder]), {
    code: 1,
    stdout: /^group canary\n {2}spec\.version: 11\.2\.0 → 11\.3\.0$/m,
  })
})

test('plan tells what the server would do: manifests that follow, and where a request goes', async (t) => {
  const folder = await checkout(t.testdir({}))
  t.match(await fleetwright(['plan', folder]), {
    code: 0,
    stdout: /^Nothing changes since [0-9a-f]{12}, no problems\.\n$/,
  })
  await edit(folder, 'groups/canary.yaml', '"11.2.0"', '"11.3.0"')
  await edit(folder, `${ACME_FOLDER}/installation.yaml`, '"11.2.0"', '"11.3.0"')
  await write(folder, 'requests/initech.yaml', REQUEST)
  const planned = await fleetwright(['plan', '--json', folder])
  t.equal(planned.code, 0, planned.stderr)
  const { differences, placements, problems } = JSON.parse(planned.stdout)
  t.same(problems, [])
  t.match(placements, [
    { subject: 'Create installation initech on prod-1', body: /Placement: least loaded of 1 cluster/ },
  ])
  const told = differences.map(({ kind, name, change, files }: Difference) => [
    kind,
    name,
    change,
    files.length,
  ])
  t.same(told, [
    ['group', 'canary', 'changed', 1],
    ['installation', 'acme', 'changed', 2],
    ['installation', 'initech', 'added', 2],
  ])
  t.equal(differences[1].files[1].path, `${ACME_FOLDER}/manifest.yaml`)

  const { stdout } = await runProcess('git', ['status', '--porcelain'], { cwd: folder })
  t.same(
    stdout.trimEnd().split('\n'),
    [` M ${ACME_FOLDER}/installation.yaml`, ' M groups/canary.yaml', '?? requests/'],
    'nothing is written',
  )
})

test('plan takes a request from a file, and says on which line it would be refused', async (t) => {
  const folder = await checkout(t.testdir({}))
  await write(folder, '../request.yaml', REQUEST)
  const path = join(folder, '../request.yaml')
  t.match(await runHere(['plan', folder, '--request', path]), {
    code: 0,
    stdout: /^Create installation initech on prod-1$/m,
  })
  await write(folder, '../request.yaml', REQUEST.replace('initech', 'acme'))
  t.match(await runHere(['plan', folder, '--request', path]), {
    code: 1,
    stdout:
      /^requests\/acme\.yaml:\d+:\d+: the DNS name acme\.cloud\.example\.com is in use by installation acme/m,
  })
  await write(folder, '../request.yaml', 'kind: Group\n')
  t.match(await runHere(['plan', folder, '--request', path]), { code: 2, stdout: /kind InstallationRequest/ })
})

test('plan refuses what the server would hold: removed, locked and hand-edited files', async (t) => {
  const folder = await checkout(t.testdir({}))
  await edit(folder, `${ACME_FOLDER}/manifest.yaml`, 'replicas: 1', 'replicas: 3')
  await runProcess('git', ['rm', '--quiet', `${GLOBEX_FOLDER}/installation.yaml`], { cwd: folder })
  const { code, stdout } = await runHere(['plan', folder])
  t.equal(code, 1)
  t.match(stdout, `${ACME_FOLDER}/manifest.yaml:1:1: this rendered file is not what its document renders to`)
  t.match(
    stdout,
    `${GLOBEX_FOLDER}/installation.yaml:1:1: installation globex was removed without a tombstone`,
  )
  t.match(await runHere(['plan', join(folder, 'groups')]), { code: 2, stdout: /name its top folder/ })
})
