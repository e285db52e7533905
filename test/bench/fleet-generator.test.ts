/** Generated fleets: the same for the same seed, and such that Fleetwright has nothing to say about them. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { writeGeneratedFleet } from '../../scripts/fleet-generator/main.ts'
import { git } from '../../src/git/child-process.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { readTips } from '../../src/git/ref-transactions.ts'
import { fleetwright } from '../support/command-line.ts'
import { writerOn } from '../support/git-writer.ts'

const SIZE = { installations: 60, clusters: 3, seed: 7 } as const

async function scratch(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-generated-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

test('the same seed makes the same commit, another seed another one', async (t) => {
  const folder = await scratch(t)
  const first = await writeGeneratedFleet(join(folder, 'first.git'), SIZE)
  const second = await writeGeneratedFleet(join(folder, 'second.git'), SIZE)
  const other = await writeGeneratedFleet(join(folder, 'other.git'), { ...SIZE, seed: 8 })
  t.equal(first.main, second.main)
  t.not(first.main, other.main)
})

test('a checkout has no problems, and every manifest is what the intents say', async (t) => {
  const folder = await scratch(t)
  await writeGeneratedFleet(join(folder, 'fleet.git'), SIZE)
  await git(['clone', '--quiet', join(folder, 'fleet.git'), join(folder, 'checkout')])
  for (const args of [['validate'], ['render', '--check']]) {
    const { code, stdout, stderr } = await fleetwright([...args, join(folder, 'checkout')])
    t.equal(code, 0, `${args.join(' ')}: ${stdout}${stderr}`)
  }
})

for (const engine of ['argocd', 'flux'] as const) {
  test(`a writer opens it and finds nothing to repair (${engine})`, async (t) => {
    const directory = join(await scratch(t), 'fleet.git')
    await writeGeneratedFleet(directory, { ...SIZE, engine })
    const before = await readTips(directory)
    const writer = await writerOn(await openEmbeddedHome(directory))
    t.teardown(() => writer.close())
    t.strictSame(writer.problems(), [])
    t.strictSame(await readTips(directory), before)
    await git(['fsck', '--strict', '--no-dangling'], { directory })
  })
}
