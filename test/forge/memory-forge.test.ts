/** The forge that other tests work with does what the real ones do. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { git } from '../../src/git/child-process.ts'
import type { HookEvent } from '../../src/ports/forge.ts'
import { openBareRepository } from '../support/bare-repository.ts'
import { createMemoryForge, type MemoryForge } from '../support/memory-forge.ts'
import { forgeContract } from './forge-contract.ts'

async function startForge(t: Test, onEvent?: (event: HookEvent) => void): Promise<MemoryForge> {
  const directory = await mkdtemp(join(tmpdir(), 'fleetwright-forge-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const repository = openBareRepository(directory)
  await repository.move(
    'refs/heads/main',
    await repository.commit(undefined, { 'README.md': 'Fleet\n' }, 'Begin'),
  )
  return createMemoryForge({ directory, ...(onEvent === undefined ? {} : { onEvent }) })
}

test('it is a forge', async (t) => {
  const forge = await startForge(t)
  forge.permissions.set('ada', 'admin').set('rob', 'read')
  forge.teams.set('operators', new Set(['ada', 'rob']))
  async function failing(code: 'forge-denied' | 'forge-unavailable'): Promise<MemoryForge> {
    const other = await startForge(t)
    other.faults.fail(code)
    return other
  }
  await forgeContract(t, {
    forge,
    people: forge.people,
    sight: forge.sight,
    permissions: [
      ['ada', 'admin'],
      ['grace', 'write'],
      ['rob', 'read'],
      ['nobody', 'none'],
    ],
    team: { name: 'operators', members: ['ada', 'rob'] },
    denied: async () => ({ forge: await failing('forge-denied'), token: 'no-token' }),
    unreachable: () => failing('forge-unavailable'),
    close: async () => undefined,
  })
})

test('faults are as a test wants them', async (t) => {
  const told: HookEvent[] = []
  const forge = await startForge(t, (event) => told.push(event))
  forge.faults.fail('forge-unavailable', { retryAfter: 5000, methods: ['access'] })
  await t.rejects(forge.access(), { code: 'forge-unavailable', data: { retryAfter: 5000 } })
  t.same(await forge.openPullRequests('main'), [], 'the other methods work')
  forge.faults.fail(undefined)
  await forge.access()
  const { number, head } = await forge.people.openPullRequest({
    branch: 'one',
    title: 'One',
    files: { 'one.txt': '1\n' },
  })
  forge.faults.loseAnswer('merge')
  await t.rejects(forge.merge(number, head), { code: 'forge-unavailable' })
  t.equal(await forge.merge(number, head), true, 'it was carried out')
  const release = forge.faults.hold()
  let answered = false
  const waiting = forge.pullRequest(number).then((found) => {
    answered = true
    return found
  })
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(answered, false)
  release()
  t.match(await waiting, { state: 'merged' })
  t.strictSame(told, [
    { event: 'pull-request', number },
    { event: 'pull-request', number },
    { event: 'push', ref: 'refs/heads/main' },
  ])
})
