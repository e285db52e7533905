/** The forge contract on a real Gitea, with real pushes; and what is its own. */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { freePort } from '../../scripts/testbed/ports.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { createGiteaForge, type GiteaSettings } from '../../src/forge/gitea/forge.ts'
import { readGiteaHook } from '../../src/forge/gitea/hook.ts'
import { rotatedToken } from '../../src/forge/token.ts'
import type { CheckReport, Forge, Hook } from '../../src/ports/forge.ts'
import { systemClock } from '../../src/system/clock.ts'
import { forgeContract } from '../forge/forge-contract.ts'
import { createGiteaWorld, type GiteaWorld, type GiteaWorldOptions } from '../support/gitea-world.ts'
import { until } from '../support/until.ts'

const skip = missingCustomResources() ?? false

async function startWorld(t: Test, options: GiteaWorldOptions = {}): Promise<GiteaWorld> {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  return await createGiteaWorld(gitea, await supervisor.makeFolder('people'), options)
}

function forgeOf({ gitea, repository, fleetwright }: GiteaWorld, more: Partial<GiteaSettings> = {}): Forge {
  return createGiteaForge({
    server: gitea.url,
    repository,
    token: rotatedToken(async () => fleetwright.token),
    clock: systemClock,
    ...more,
  })
}

test('Gitea is a forge', { skip }, async (t) => {
  const world = await startWorld(t)
  await world.addTeam('operators', ['ada', 'rob', 'fleetwright'])
  // Small pages, so that every list has several.
  const forge = forgeOf(world, { pageSize: 3 })
  const token = '0123456789abcdef0123456789abcdef01234567'
  await forgeContract(t, {
    ...world,
    forge,
    team: { name: 'operators', members: ['ada', 'fleetwright', 'rob'] },
    denied: async () => ({ forge: forgeOf(world, { token: rotatedToken(async () => token) }), token }),
    unreachable: async () => forgeOf(world, { server: `http://127.0.0.1:${await freePort()}` }),
    close: () => forge.stop(),
  })
  await forge.stop()
})

test('a repository that nobody has pushed to has no pull requests', { skip }, async (t) => {
  const forge = forgeOf(await startWorld(t, { isEmpty: true }))
  t.teardown(() => forge.stop())
  t.strictSame(await forge.openPullRequests('main'), [])
  t.strictSame(await forge.endedPullRequests('main', 0), [])
})

test("what is Gitea's own", { skip }, async (t) => {
  const world = await startWorld(t)
  await t.test('its hooks are read as it sends them', (t) => hooks(t, world))
  await t.test('what a report that was cut off began is not sent along', (t) => cutOff(t, world))
  await t.test("a person's review stays, and so does that of another check", (t) => otherReviews(t, world))
  await t.test('a head that has moved gets no comments on lines', (t) => movedHead(t, world))
  await t.test('checks of others do not count', (t) => statusOfOthers(t, world))
  await t.test('a token that lacks a right is told which', (t) => scopes(t, world))
  await t.test('a token that is replaced is read anew', (t) => replacedToken(t, world))
  await t.test('a branch that was pushed just now', (t) => pushedJustNow(t, world))
  await t.test('a repository that moved, was removed, was made anew', (t) => anotherRepository(t, world))
})

const SECRET = 'a secret of hooks'

async function hooks(t: Test, { gitea, repository, people }: GiteaWorld): Promise<void> {
  const seen: Hook[] = []
  const failures: unknown[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const headers = Object.fromEntries(
      Object.entries(request.headers).map(([name, value]) => [name, String(value)]),
    )
    try {
      const body = Buffer.concat(chunks)
      seen.push(readGiteaHook({ headers, body, secret: SECRET }))
      readGiteaHook({ headers, body, secret: 'another' })
      failures.push('a hook was let in with another secret')
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'unauthenticated'))
        failures.push(error)
    }
    response.writeHead(204).end()
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  const address = server.address()
  const port = typeof address === 'object' ? address?.port : undefined
  await gitea.call('POST', `/repos/${repository}/hooks`, {
    type: 'gitea',
    active: true,
    events: ['push', 'pull_request'],
    config: { url: `http://127.0.0.1:${port}/`, content_type: 'json', secret: SECRET },
  })
  const told = (content: Hook['content']): Promise<unknown> =>
    until(
      async () => seen.map((hook) => JSON.stringify(hook.content)),
      (all) => all.includes(JSON.stringify(content)),
    )
  const files = { 'hooks.txt': 'one\n' }
  const { number } = await people.openPullRequest({ branch: 'hooks', title: 'Hooks', files })
  await told({ event: 'push', ref: 'refs/heads/hooks' })
  await told({ event: 'pull-request', number })
  const before = seen.length
  await people.push(number, { 'hooks.txt': 'two\n' })
  await until(
    async () => seen.slice(before).map(({ content }) => content.event),
    (events) => events.includes('pull-request'),
  )
  await people.merge(number, 'squash')
  await told({ event: 'push', ref: 'refs/heads/main' })
  t.strictSame(failures, [])
  t.ok(seen.every((hook) => hook.repository === repository))
  t.equal(new Set(seen.map(({ delivery }) => delivery)).size, seen.length, 'each has a number of its own')
}

const report = (number: number, commit: CheckReport['commit'], message: string): CheckReport => ({
  number,
  commit,
  name: 'fleetwright/plan',
  result: 'failure',
  title: 'One problem',
  summary: '',
  annotations: [{ path: 'own.txt', line: 1, column: 1, level: 'failure', title: 'Wrong', message }],
})

async function cutOff(t: Test, world: GiteaWorld): Promise<void> {
  const { people, call, fleetwright, repository, sight } = world
  const files = { 'own.txt': 'x\n' }
  const { number, head } = await people.openPullRequest({ branch: 'cut-off', title: 'Cut off', files })
  const reviews = `/repos/${repository}/pulls/${number}/reviews`
  const half = { path: 'own.txt', new_position: 1, body: 'Half of a report' }
  const failing = { path: 'own.txt', new_position: 900, body: 'On a line that is not there' }
  await t.rejects(call(fleetwright, 'POST', reviews, { event: 'COMMENT', comments: [half, failing] }))
  const begun: readonly { state: string }[] = await call(fleetwright, 'GET', reviews)
  t.match(begun, [{ state: 'PENDING' }])
  const forge = forgeOf(world)
  await forge.report(report(number, head, 'All of a report'))
  const shown = await sight.annotations(number)
  t.strictSame(
    shown.filter(({ line }) => line === 1).map(({ text }) => text.includes('All of a report')),
    [true],
  )
  await forge.stop()
}

async function otherReviews(t: Test, world: GiteaWorld): Promise<void> {
  const { people, call, person, repository, gitea } = world
  const files = { 'own.txt': 'x\n' }
  const { number, head } = await people.openPullRequest({ branch: 'others', title: 'Others', files })
  const reviews = `/repos/${repository}/pulls/${number}/reviews`
  await call(person, 'POST', reviews, {
    event: 'COMMENT',
    body: '<!-- fleetwright:fleetwright/plan -->\nMine',
  })
  const forge = forgeOf(world)
  await forge.report(report(number, head, 'First'))
  await forge.report({ ...report(number, head, 'Of another check'), name: 'fleetwright/other' })
  await forge.report(report(number, head, 'Second'))
  const all: readonly { body: string }[] = await gitea.call('GET', reviews)
  t.strictSame(all.map(({ body }) => body.split('\n')[0]).sort(), [
    '<!-- fleetwright:fleetwright/other -->',
    '<!-- fleetwright:fleetwright/plan -->',
    '<!-- fleetwright:fleetwright/plan -->',
  ])
  t.ok(all.some(({ body }) => body.endsWith('Mine')))
  await forge.stop()
}

async function movedHead(t: Test, world: GiteaWorld): Promise<void> {
  const { people, sight } = world
  const files = { 'own.txt': 'one\ntwo\n' }
  const { number, head } = await people.openPullRequest({ branch: 'moved', title: 'Moved', files })
  await people.push(number, { 'own.txt': `${'more\n'.repeat(100)}two\n` })
  const forge = forgeOf(world)
  await forge.report({
    ...report(number, head, 'On the head before'),
    annotations: [
      { path: 'own.txt', line: 90, column: 1, level: 'failure', title: 'Wrong', message: 'There' },
    ],
  })
  t.match(await sight.annotations(number), [{ line: 0, text: /own\.txt:90/ }])
  t.match(await sight.check(head, 'fleetwright/plan'), { result: 'failure' })
  await forge.stop()
}

async function statusOfOthers(t: Test, world: GiteaWorld): Promise<void> {
  const { people, call, person, repository, sight } = world
  const files = { 'own.txt': 'x\n' }
  const { number, head } = await people.openPullRequest({ branch: 'forged', title: 'Forged', files })
  const forge = forgeOf(world)
  await forge.report(report(number, head, 'Wrong'))
  await call(person, 'POST', `/repos/${repository}/statuses/${head}`, {
    state: 'success',
    context: 'fleetwright/plan',
    description: 'Let me in',
  })
  await forge.report(report(number, head, 'Wrong'))
  t.strictSame(await sight.check(head, 'fleetwright/plan'), { result: 'failure', title: 'One problem' })
  t.equal(await sight.timesReported(head, 'fleetwright/plan'), 3)
  await forge.stop()
}

async function scopes(t: Test, world: GiteaWorld): Promise<void> {
  const { gitea, people, addUser } = world
  const files = { 'scopes.txt': 'x\n' }
  const { number } = await people.openPullRequest({ branch: 'scopes', title: 'Scopes', files })
  const token = await gitea.addToken('fleetwright', ['write:repository', 'read:issue', 'read:user'])
  const forge = forgeOf(world, { token: rotatedToken(async () => token) })
  t.match(await forge.access(), { canPush: true, canReport: false })
  await t.rejects(forge.comment(number, 'plan', 'x'), { code: 'forge-denied', message: /write:issue/ })
  await t.rejects(forge.teamMembers('operators'), { code: 'forge-denied', message: /read:organization/ })
  await forge.stop()
  const writer = await addUser('writer', 'write')
  const asWriter = forgeOf(world, { token: rotatedToken(async () => writer.token) })
  t.match(await asWriter.access(), { login: 'writer', canPush: true, canReport: true, main: 'open' })
  await t.rejects(asWriter.permission('rob'), { code: 'forge-denied', message: /administrator/ })
  await asWriter.stop()
  const reader = await addUser('reader', 'read')
  const asReader = forgeOf(world, { token: rotatedToken(async () => reader.token) })
  t.match(await asReader.access(), { canPush: false, canReport: false })
  await asReader.stop()
}

async function replacedToken(t: Test, world: GiteaWorld): Promise<void> {
  const wrong = '0123456789abcdef0123456789abcdef01234567'
  const tokens = [wrong, world.fleetwright.token]
  const forge = forgeOf(world, { token: rotatedToken(async () => tokens.shift() ?? world.fleetwright.token) })
  t.match(await forge.access(), { login: 'fleetwright' }, 'it was replaced while it was used')
  await forge.stop()
}

/** Gitea learns of a push a moment later; until then it says that there is no such branch. */
async function pushedJustNow(t: Test, world: GiteaWorld): Promise<void> {
  const forge = forgeOf(world)
  await t.rejects(forge.open({ branch: 'never-pushed', base: 'main', title: 'x', body: '' }), {
    code: 'forge-refused',
  })
  for (let at = 0; at < 5; at += 1) {
    const branch = `just-now-${at}`
    await world.pushUnseen(branch, { [`${branch}.txt`]: 'x\n' })
    const request = { branch, base: 'main', title: branch, body: '' }
    const made = await until(
      () =>
        forge.open(request).catch((error: unknown) => {
          if (error instanceof Error && 'code' in error && error.code === 'forge-unavailable')
            return undefined
          throw error
        }),
      (made) => made !== undefined,
    )
    t.equal(made?.branch, branch)
  }
  await forge.stop()
}

async function anotherRepository(t: Test, world: GiteaWorld): Promise<void> {
  const { gitea, repository } = world
  const forge = forgeOf(world)
  const before = await forge.access()
  await gitea.call('PATCH', `/repos/${repository}`, { name: 'renamed' })
  await t.rejects(forge.openPullRequests('main'), { code: 'forge-refused', message: /moved/ })
  await t.rejects(forge.pullRequest(1), { code: 'forge-refused' })
  await gitea.call('DELETE', '/repos/acme/renamed')
  await t.rejects(forge.access(), { code: 'forge-refused', message: /does not exist/ })
  await t.rejects(forge.pullRequest(1), { code: 'forge-refused' }, 'a repository that is gone has no answer')
  await gitea.call('POST', '/orgs/acme/repos', { name: 'fleet', private: true, default_branch: 'main' })
  await gitea.call('PUT', `/repos/${repository}/collaborators/fleetwright`, { permission: 'admin' })
  const after = await forge.access()
  t.not(after.repository, before.repository)
  t.match(after, { main: 'open' }, 'nothing was pushed yet')
  await forge.stop()
}
