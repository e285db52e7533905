/** What Fleetwright writes to main of a real Gitea: signed, and through pull requests where main is protected. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { createGiteaForge } from '../../src/forge/gitea/forge.ts'
import { rotatedToken } from '../../src/forge/token.ts'
import { createProtectedHome } from '../../src/git/protected/home.ts'
import { createCredentials } from '../../src/git/remote/credentials.ts'
import { openRemoteHome } from '../../src/git/remote/home.ts'
import { createHttpTransport } from '../../src/git/remote/http-transport.ts'
import { openSigningKeyFile } from '../../src/git/signing/signing-key-file.ts'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import type { RepositoryWriter } from '../../src/git/writer/types.ts'
import { systemClock } from '../../src/system/clock.ts'
import { creation, importCluster, requestContext, writerOn } from '../support/git-writer.ts'
import { addSigningKey } from '../support/gitea-signing-key.ts'
import { createGiteaWorld, type GiteaWorld } from '../support/gitea-world.ts'
import { git } from '../support/person.ts'
import { makeKey } from '../support/ssh-keys.ts'

const skip = missingCustomResources() ?? false
const COMMITTER = { name: 'Fleetwright', email: 'fleetwright@fleetwright.invalid' }

async function startWorld(t: Test): Promise<GiteaWorld> {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  return await createGiteaWorld(gitea, await supervisor.makeFolder('people'))
}

async function homeOf({ cloneUrl, fleetwright }: GiteaWorld, folder: string): Promise<RepositoryHome> {
  const credentials = createCredentials({ user: fleetwright.login, token: fleetwright.token })
  return await openRemoteHome({ transport: createHttpTransport({ url: cloneUrl, credentials }), folder })
}

async function create(writer: RepositoryWriter, ...numbers: readonly number[]): Promise<readonly string[]> {
  const done = await Promise.all(
    numbers.map((number) => writer.submit(creation(number), requestContext(number))),
  )
  return done.map(({ commit }) => commit ?? 'none')
}

interface GiteaCommit {
  readonly commit: { readonly verification: { readonly verified: boolean; readonly reason: string } }
}

test('Gitea calls every commit of Fleetwright verified, those of projections too', { skip }, async (t) => {
  const world = await startWorld(t)
  const key = makeKey(t.testdir(), '-t', 'ed25519')
  await addSigningKey(world, world.fleetwright, key)
  const { sign } = await openSigningKeyFile(key)
  const home = await homeOf(world, `${t.testdirName}/data`)
  const writer = await writerOn(home, { sign, committer: COMMITTER })
  t.teardown(() => writer.close())
  await writer.submit(importCluster('prod-1', 500), requestContext(0))
  await create(writer, 1, 2, 3)
  const commits = git(home.gitDirectory, 'rev-list', '--all', '--committer=Fleetwright').trim().split('\n')
  t.ok(commits.length >= 7, `${commits.length} commits`)
  for (const commit of commits) {
    const path = `/repos/${world.repository}/git/commits/${commit}`
    const { verification } = (await world.call<GiteaCommit>(world.fleetwright, 'GET', path)).commit
    t.ok(verification.verified, verification.reason)
  }
  const people = git(home.gitDirectory, 'rev-list', '--max-parents=0', 'main').trim()
  const path = `/repos/${world.repository}/git/commits/${people}`
  t.notOk((await world.call<GiteaCommit>(world.fleetwright, 'GET', path)).commit.verification.verified)
})

test('a protected main of Gitea', { skip }, async (t) => {
  const world = await startWorld(t)
  const forge = createGiteaForge({
    server: world.gitea.url,
    repository: world.repository,
    token: rotatedToken(async () => world.fleetwright.token),
    clock: systemClock,
  })
  t.teardown(() => forge.stop())
  const folder = t.testdir()
  const direct = await writerOn(await homeOf(world, `${folder}/direct`))
  await direct.submit(importCluster('prod-1', 500), requestContext(0))

  await t.test('is written directly by whom it lets pass', async (t) => {
    await world.people.protectMain('with-bypass')
    t.match(await forge.access(), { main: 'protected-with-bypass' })
    const [commit] = await create(direct, 1)
    t.equal(await world.sight.tip('refs/heads/main'), commit)
  })

  await t.test('is said to be one where nobody may pass', async (t) => {
    await world.people.protectMain('for-all')
    t.match(await forge.access(), { main: 'protected' })
    await t.rejects(create(direct, 2), { code: 'remote-denied', message: /protected.*protected-main/ })
    t.match(direct.problems(), [{ code: 'remote-denied' }])
    await direct.close()
  })

  for (const fastForward of [false, true])
    await t.test(
      `is written through pull requests (${fastForward ? 'fast-forward' : 'merge commits'})`,
      async (t) => {
        await world.call(world.fleetwright, 'PATCH', `/repos/${world.repository}`, {
          allow_fast_forward_only_merge: fastForward,
          default_merge_style: fastForward ? 'fast-forward-only' : 'squash',
        })
        const home = await homeOf(world, `${folder}/data-${fastForward}`)
        const writer = await writerOn(createProtectedHome({ home, forge, clock: systemClock }))
        const from = fastForward ? 20 : 10
        const commits = [
          ...(await create(writer, from)),
          ...(await create(writer, from + 1, from + 2, from + 3)),
          ...(await create(writer, from + 4)),
        ]
        // A person merges something in between.
        const { number } = await world.people.openPullRequest({
          branch: `notes-${from}`,
          title: 'Say what this is',
          files: { [`notes/${from}.md`]: 'Note\n' },
        })
        const merging = world.people.merge(number, 'merge')
        commits.push(...(await create(writer, from + 5)))
        await merging
        commits.push(...(await create(writer, from + 6)))
        await writer.poll()
        const { gitDirectory } = home
        for (const commit of commits)
          t.equal(git(gitDirectory, 'merge-base', '--is-ancestor', commit, 'main'), '', commit)
        t.equal(git(gitDirectory, 'show', `main:notes/${from}.md`), 'Note\n')
        t.equal(
          git(gitDirectory, 'rev-parse', 'main:clusters/prod-1'),
          git(gitDirectory, 'rev-parse', 'cluster/prod-1^{tree}'),
        )
        const tip = await world.sight.tip('refs/heads/main')
        if (fastForward) t.equal(tip, commits.at(-1))
        else t.equal(git(gitDirectory, 'rev-list', '--merges', '--max-count=1', 'main').trim(), tip)
        t.equal(git(gitDirectory, 'for-each-ref', 'refs/heads/fleetwright'), '')
        t.same(await forge.openPullRequests('main'), [])
        t.equal(git(gitDirectory, 'fsck', '--strict', '--no-dangling'), '')
        await writer.close()
      },
    )
})
