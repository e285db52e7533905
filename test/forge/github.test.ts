/** The GitHub adapter keeps the contract of forges, as a GitHub App and as a user, before a server that GitHub's description rules. */
import { generateKeyPairSync } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type Test, test } from 'tap'
import { isFleetError } from '../../src/fleet/errors.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { apiOf } from '../../src/forge/github/addresses.ts'
import { createGitHubApp } from '../../src/forge/github/app.ts'
import { createGitHubForge } from '../../src/forge/github/forge.ts'
import { knownByToken, rotatedToken } from '../../src/forge/token.ts'
import { git } from '../../src/git/child-process.ts'
import type { CheckReport, Forge } from '../../src/ports/forge.ts'
import { systemClock } from '../../src/system/clock.ts'
import type { Answer } from '../stand-ins/described-api.ts'
import { type GitHubStandIn, startGitHubStandIn } from '../stand-ins/github.ts'
import { APP_ID, INSTALLATION_ID, OWNER, REPO } from '../stand-ins/github/world.ts'
import { openBareRepository } from '../support/bare-repository.ts'
import type { ForgeWorld } from '../support/forge-world.ts'
import { createMemoryForge, type MemoryForge } from '../support/memory-forge.ts'
import { forgeContract } from './forge-contract.ts'

const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const PEM = privateKey.export({ type: 'pkcs1', format: 'pem' }).toString()
const TOKEN = 'ghp_token_of_a_user'
const PULLS = '/repos/{owner}/{repo}/pulls'
const LIST = `GET ${PULLS}`
const GET = `GET ${PULLS}/{pull_number}`
const UPDATE_RUN = 'PATCH /repos/{owner}/{repo}/check-runs/{check_run_id}'
const BRANCH = 'GET /repos/{owner}/{repo}/branches/{branch}'
const PROTECTION = `${BRANCH}/protection`
const REPOSITORY = `${OWNER}/${REPO}`

interface Started {
  readonly memory: MemoryForge
  readonly standIn: GitHubStandIn
}

async function start(
  t: Test,
  as: 'app' | 'user',
  { pageSize = 100, now = Date.now }: { readonly pageSize?: number; readonly now?: () => number } = {},
): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), 'fleetwright-github-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const repository = openBareRepository(directory)
  await repository.move(
    'refs/heads/main',
    await repository.commit(undefined, { 'README.md': 'Fleet\n' }, 'Begin'),
  )
  const memory = createMemoryForge({ directory })
  memory.permissions.set('ada', 'admin').set('rob', 'read')
  const standIn = await startGitHubStandIn({
    ...{ memory, directory, pageSize, now, teams: { 'acme/operators': ['ada', 'rob', 'grace'] } },
    ...(as === 'app' ? { appKey: publicKey } : {}),
  })
  standIn.tokens.add(TOKEN)
  t.teardown(() => standIn.close())
  return { memory, standIn }
}

function asUser(standIn: Pick<GitHubStandIn, 'api'>, token: string = TOKEN): Forge {
  return createGitHubForge({
    ...{ server: 'https://github.example.com', api: standIn.api, repository: REPOSITORY, clock: systemClock },
    login: { token: rotatedToken(async () => token) },
  })
}

function asApp(t: Test, standIn: Pick<GitHubStandIn, 'api'>, appId = APP_ID): Forge {
  const { api } = standIn
  const app = createGitHubApp({
    ...{ api, appId, installationId: INSTALLATION_ID, clock: systemClock, readKey: async () => PEM },
  })
  t.teardown(() => app.stop())
  return createGitHubForge({
    ...{ server: 'https://github.example.com', api, repository: REPOSITORY, clock: systemClock },
    login: { app },
  })
}

function worldOf({ memory, standIn }: Started, forge: Forge, denied: ForgeWorld['denied']): ForgeWorld {
  return {
    forge,
    people: {
      ...memory.people,
      async comment(number, body) {
        const those = standIn.comments.get(number) ?? []
        standIn.comments.set(number, [
          ...those,
          { id: 1_000_000 + those.length, author: memory.people.login, body },
        ])
      },
      async protectMain(how) {
        standIn.protect(how)
      },
      async deleteCommentsOfFleetwright(number) {
        const those = standIn.comments.get(number) ?? []
        standIn.comments.set(
          number,
          those.filter(({ author }) => author === memory.people.login),
        )
      },
    },
    sight: standIn.sight,
    permissions: [
      ['ada', 'admin'],
      ['grace', 'write'],
      ['rob', 'read'],
      ['nobody', 'none'],
    ],
    team: { name: 'operators', members: ['ada', 'rob', 'grace'] },
    denied,
    unreachable: async () => asUser({ api: 'http://127.0.0.1:9/api/v3' }),
    close: () => forge.stop(),
  }
}

test('a user keeps the contract', async (t) => {
  const started = await start(t, 'user', { pageSize: 3 })
  const forge = asUser(started.standIn)
  t.teardown(() => forge.stop())
  const token = 'ghp_revoked_long_ago'
  const denied = async () => ({ forge: asUser(started.standIn, token), token })
  await forgeContract(t, worldOf(started, forge, denied))
  t.strictSame(started.standIn.violations, [], 'every request and answer is as described')
})

test('a GitHub App keeps the contract', async (t) => {
  const started = await start(t, 'app', { pageSize: 3 })
  const forge = asApp(t, started.standIn)
  t.teardown(() => forge.stop())
  // Its key is of another App.
  const denied = async () => ({ forge: asApp(t, started.standIn, 1), token: PEM.slice(40, 90) })
  await forgeContract(t, worldOf(started, forge, denied))
  t.strictSame(started.standIn.violations, [], 'every request and answer is as described')
})

function report(commit: string, count: number): CheckReport {
  return {
    ...{ number: 1, commit: commit as ObjectId, name: 'fleetwright/plan', result: 'failure' },
    ...{ title: `${count} problems`, summary: 's' },
    annotations: Array.from({ length: count }, (_, at) => ({
      ...{
        path: 'a.txt',
        line: at + 1,
        column: 1,
        level: 'failure',
        title: 'Wrong',
        message: `Problem ${at}`,
      },
    })),
  }
}

test('an App adds annotations 50 at a time, and completes the check run with the last ones', async (t) => {
  const { memory, standIn } = await start(t, 'app')
  const forge = asApp(t, standIn)
  t.teardown(() => forge.stop())
  const { head } = await memory.people.openPullRequest({ branch: 'b', title: 'B', files: { 'a.txt': 'a\n' } })
  // It is cut off between the second and the third part.
  standIn.fail(UPDATE_RUN, { status: 200, body: { output: {} } })
  standIn.fail(UPDATE_RUN, { status: 502, body: {} })
  await t.rejects(forge.report(report(head, 120)), { code: 'forge-unavailable' })
  t.match(
    await standIn.sight.check(head, 'fleetwright/plan'),
    { result: 'pending' },
    'not taken for the whole',
  )
  await forge.report(report(head, 120))
  t.match(await standIn.sight.check(head, 'fleetwright/plan'), { result: 'failure' })
  t.equal(standIn.checkRuns.at(-1)?.annotations.length, 120)
  await forge.report(report(head, 600))
  t.equal(standIn.checkRuns.at(-1)?.annotations.length, 500)
  t.match(standIn.checkRuns.at(-1)?.summary, '100 more problems are not shown on their lines')
  t.strictSame(standIn.violations, [])
})

test('the token of an App is minted once an hour, and anew when it was revoked', async (t) => {
  let now = Date.now()
  const { standIn } = await start(t, 'app', { now: () => now })
  const app = createGitHubApp({
    ...{ api: standIn.api, appId: APP_ID, installationId: INSTALLATION_ID, readKey: async () => PEM },
    clock: { ...systemClock, now: () => now },
  })
  const forge = createGitHubForge({
    ...{ server: 'https://github.example.com', api: standIn.api, repository: REPOSITORY, clock: systemClock },
    login: { app },
  })
  t.teardown(async () => {
    await forge.stop()
    app.stop()
  })
  await Promise.all([forge.pullRequest(1), forge.pullRequest(2), forge.openPullRequests('main')])
  t.equal(standIn.minted.length, 1, 'whoever asks at the same time')
  now += 54 * 60_000
  await forge.pullRequest(1)
  t.equal(standIn.minted.length, 1)
  now += 2 * 60_000
  const git = await app.git.authorization()
  t.equal(standIn.minted.length, 2, 'shortly before it expires')
  const [user, token = ''] = Buffer.from(git.replace('Basic ', ''), 'base64').toString().split(':')
  t.equal(user, 'x-access-token')
  t.equal(token, standIn.minted[1])
  t.notMatch(app.git.redact(`remote: ${token} ${git}`), token)
  t.equal(app.git.redact(git), 'Basic ***')
  standIn.revoke(token)
  await forge.openPullRequests('main')
  t.equal(standIn.minted.length, 3, 'a revoked one is replaced')
  app.git.refused(git)
  await app.git.authorization()
  t.equal(standIn.minted.length, 3, 'git was refused the one before')
  app.git.refused(await app.git.authorization())
  await app.git.authorization()
  t.equal(standIn.minted.length, 4)
  t.strictSame(standIn.violations, [])
})

test('an App that is not let in says what to check', async (t) => {
  const { standIn } = await start(t, 'app')
  const settings = { api: standIn.api, appId: APP_ID, installationId: INSTALLATION_ID, clock: systemClock }
  const other = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey
  const elliptic = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey
  const cases = [
    {
      readKey: async () => other.export({ type: 'pkcs8', format: 'pem' }).toString(),
      says: /does not know the GitHub App 4711/,
    },
    { readKey: async () => 'secret-but-no-key', says: /is not an RSA key in PEM/ },
    {
      readKey: async () => elliptic.export({ type: 'pkcs8', format: 'pem' }).toString(),
      says: /is not an RSA key in PEM/,
    },
    { readKey: async () => PEM, installationId: 1, says: /has no installation 1/ },
  ]
  for (const { says, ...changed } of cases) {
    const app = createGitHubApp({ ...settings, ...changed })
    const error: unknown = await app.token.present().catch((error: unknown) => error)
    t.match(error, { code: 'forge-denied', message: says })
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), /secret-but-no-key|eyJ/)
    app.stop()
  }
  t.strictSame(standIn.violations, [])
})

interface Refusal {
  readonly answer: Answer
  readonly code: string
  readonly says?: RegExp
  /** Milliseconds, from and to. */
  readonly waits?: readonly [number, number]
}

test('refusals say what is meant, and hold no token', async (t) => {
  const { standIn } = await start(t, 'user')
  const forge = asUser(standIn)
  t.teardown(() => forge.stop())
  const reset = String(Math.ceil(Date.now() / 1000) + 90)
  const cases: readonly Refusal[] = [
    {
      answer: {
        status: 403,
        body: { message: 'limit' },
        headers: { 'x-ratelimit-remaining': '0', 'x-ratelimit-reset': reset },
      },
      code: 'forge-unavailable',
      waits: [80_000, 91_000],
    },
    {
      answer: { status: 429, body: {}, headers: { 'retry-after': '7' } },
      code: 'forge-unavailable',
      waits: [7000, 7000],
    },
    {
      answer: { status: 429, body: {}, headers: { 'retry-after': '99999999' } },
      code: 'forge-unavailable',
      waits: [3_600_000, 3_600_000],
    },
    {
      answer: { status: 403, body: { message: 'You have exceeded a secondary rate limit' } },
      code: 'forge-unavailable',
      waits: [60_000, 60_000],
    },
    {
      answer: {
        status: 403,
        body: { message: 'Resource not accessible' },
        headers: { 'x-accepted-github-permissions': 'pull_requests=read' },
      },
      code: 'forge-denied',
      says: /Pull requests: read \(pull_requests=read\)/,
    },
    { answer: { status: 500, body: {} }, code: 'forge-unavailable' },
    {
      answer: {
        status: 422,
        body: { message: 'Validation Failed', errors: [{ message: 'base is invalid' }] },
      },
      code: 'forge-refused',
      says: /base is invalid/,
    },
    {
      answer: { status: 302, headers: { location: 'https://elsewhere.invalid/' } },
      code: 'forge-refused',
      says: /has moved/,
    },
  ]
  for (const { answer, code, says, waits } of cases) {
    standIn.fail(LIST, answer)
    const error: unknown = await forge.openPullRequests('main').catch((error: unknown) => error)
    t.ok(isFleetError(error) && error.code === code, inspect(error))
    if (!isFleetError(error)) continue
    if (says !== undefined) t.match(error.message, says)
    const [least = 0, most = 0] = waits ?? []
    const wait = Number(error.data.retryAfter ?? 0)
    t.ok(wait >= least && wait <= most, `waits ${wait} ms`)
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), TOKEN)
  }
})

test('answers are checked, and a link elsewhere is not followed', async (t) => {
  const { memory, standIn } = await start(t, 'user')
  const forge = asUser(standIn)
  t.teardown(() => forge.stop())
  await memory.people.openPullRequest({ branch: 'b', title: 'B', files: { 'a.txt': 'a\n' } })
  const link = '<https://elsewhere.invalid/api/v3/repos?page=2>; rel="next"'
  standIn.fail(LIST, { status: 200, body: [], headers: { link } })
  await t.rejects(forge.openPullRequests('main'), {
    code: 'forge-unavailable',
    message: /elsewhere\.invalid, which is not its API/,
  })
  standIn.fail(GET, { status: 200, body: { head: { sha: 'not a commit' } } })
  await t.rejects(forge.pullRequest(1), {
    code: 'forge-unavailable',
    message: /pull request 1, head, sha must be the id of a commit/,
  })
})

test('a rotated token is noticed', async (t) => {
  const { standIn } = await start(t, 'user')
  const tokens = ['ghp_old', 'ghp_new']
  standIn.tokens.add('ghp_new')
  const forge = createGitHubForge({
    ...{ server: 'https://github.example.com', api: standIn.api, repository: REPOSITORY, clock: systemClock },
    login: { token: rotatedToken(async () => tokens.shift() ?? 'ghp_new') },
  })
  t.teardown(() => forge.stop())
  t.strictSame(await forge.openPullRequests('main'), [])
})

test('a way of merging that the repository does not allow is said', async (t) => {
  const { memory, standIn } = await start(t, 'user')
  const forge = asUser(standIn)
  t.teardown(() => forge.stop())
  const files = { 'a.txt': 'a\n' }
  const { number, head } = await memory.people.openPullRequest({ branch: 'b', title: 'B', files })
  const message = 'Merge commits are not allowed on this repository.'
  standIn.fail(`PUT ${PULLS}/{pull_number}/merge`, { status: 405, body: { message } })
  await t.rejects(forge.merge(number, head, 'keep-commits'), {
    code: 'forge-refused',
    message: /Merge commits/,
  })
  t.match(await forge.pullRequest(number), { state: 'open' })
})

test('what a token taught is asked again with another one', async (t) => {
  const tokens = ['one', 'one', 'one', 'two']
  const token = rotatedToken(async () => tokens.shift() ?? 'two')
  let asked = 0
  const login = knownByToken(token, async () => {
    asked += 1
    if (asked === 1) throw new Error('not now')
    return `user ${asked}`
  })
  await t.rejects(login())
  t.equal(await login(), 'user 2', 'a failure is not kept')
  t.equal(await login(), 'user 2')
  t.equal(await login(), 'user 3')
  t.equal(await login(), 'user 3')
})

test('where the API is', (t) => {
  t.equal(apiOf('https://github.com/'), 'https://api.github.com')
  t.equal(apiOf('https://acme.ghe.com'), 'https://api.acme.ghe.com')
  t.equal(apiOf('https://github.example.com:8443'), 'https://github.example.com:8443/api/v3')
  t.end()
})

test('branch protection of the older kind', async (t) => {
  const { standIn } = await start(t, 'user')
  const forge = asUser(standIn)
  t.teardown(() => forge.stop())
  const self = [{ login: 'fleetwright' }]
  const reviews = (users: unknown) => ({
    required_pull_request_reviews: { bypass_pull_request_allowances: { users, teams: [], apps: [] } },
  })
  const cases = [
    [{ status: 404, body: {} }, 'protected'],
    [{ status: 403, body: { message: 'Resource not accessible' } }, 'protected'],
    [{ status: 200, body: {} }, 'open'],
    [{ status: 200, body: reviews([]) }, 'protected'],
    [{ status: 200, body: reviews(self) }, 'protected-with-bypass'],
    [{ status: 200, body: { ...reviews(self), lock_branch: { enabled: true } } }, 'protected'],
    [{ status: 200, body: { restrictions: { users: self, teams: [], apps: [] } } }, 'protected-with-bypass'],
    [{ status: 200, body: { restrictions: { users: [], teams: [], apps: [] } } }, 'protected'],
  ] as const
  for (const [answer, main] of cases) {
    standIn.fail(BRANCH, { status: 200, body: { protected: true, protection: { enabled: true } } })
    standIn.fail(PROTECTION, answer)
    t.match(await forge.access(), { main }, JSON.stringify(answer))
  }
  t.strictSame(standIn.violations, [])
})
