/** The GitLab adapter keeps the contract of forges, before a server that a description of GitLab's API rules. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inspect } from 'node:util'
import { type Test, test } from 'tap'
import { isFleetError } from '../../src/fleet/errors.ts'
import { createGitLabForge } from '../../src/forge/gitlab/forge.ts'
import { parseProjectPath } from '../../src/forge/gitlab/repository.ts'
import { rotatedToken } from '../../src/forge/token.ts'
import { git } from '../../src/git/child-process.ts'
import type { CheckReport, Forge } from '../../src/ports/forge.ts'
import { systemClock } from '../../src/system/clock.ts'
import type { Answer } from '../stand-ins/described-api.ts'
import { type GitLabStandIn, startGitLabStandIn } from '../stand-ins/gitlab.ts'
import { PROJECT } from '../stand-ins/gitlab/world.ts'
import { openBareRepository } from '../support/bare-repository.ts'
import { createMemoryForge, type MemoryForge } from '../support/memory-forge.ts'
import { forgeContract } from './forge-contract.ts'

const TOKEN = 'glpat-token_of_a_user'
const MERGE_REQUESTS = '/projects/{id}/merge_requests'
const LIST = `GET ${MERGE_REQUESTS}`
const GET = `${LIST}/{merge_request_iid}`

interface Started {
  readonly memory: MemoryForge
  readonly standIn: GitLabStandIn
  readonly forge: Forge
}

async function start(t: Test, pageSize = 100): Promise<Started> {
  const directory = await mkdtemp(join(tmpdir(), 'fleetwright-gitlab-'))
  t.teardown(() => rm(directory, { recursive: true, force: true }))
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const repository = openBareRepository(directory)
  const begin = await repository.commit(undefined, { 'README.md': 'Fleet\n' }, 'Begin')
  await repository.move('refs/heads/main', begin)
  const memory = createMemoryForge({ directory })
  memory.permissions.set('ada', 'admin').set('rob', 'read').set('robert', 'write')
  const groups = { 'acme/operators': ['ada', 'rob', 'grace'] }
  const standIn = await startGitLabStandIn({ memory, directory, pageSize, groups })
  standIn.tokens.add(TOKEN)
  t.teardown(() => standIn.close())
  const forge = forgeAt(standIn.url)
  t.teardown(() => forge.stop())
  return { memory, standIn, forge }
}

function forgeAt(server: string, token: string = TOKEN): Forge {
  return createGitLabForge({
    ...{ server, repository: PROJECT, clock: systemClock, token: rotatedToken(async () => token) },
  })
}

test('it keeps the contract', async (t) => {
  const { memory, standIn, forge } = await start(t, 3)
  const token = 'glpat-revoked_long_ago'
  await forgeContract(t, {
    forge,
    people: {
      ...memory.people,
      async comment(number, text) {
        standIn.say(number, memory.people.login, text)
      },
      async protectMain(how) {
        standIn.protect(how)
      },
      async deleteCommentsOfFleetwright(number) {
        const those = standIn.discussions.get(number) ?? []
        standIn.discussions.set(
          number,
          those.filter(({ notes }) => notes[0]?.author === memory.people.login),
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
    denied: async () => ({ forge: forgeAt(standIn.url, token), token }),
    unreachable: async () => forgeAt('http://127.0.0.1:9'),
    close: () => forge.stop(),
  })
  t.strictSame(standIn.violations, [], 'every request and answer is as described')
})

interface Refusal {
  readonly answer: Answer
  readonly code: string
  readonly says?: RegExp
  /** Milliseconds, from and to. */
  readonly waits?: readonly [number, number]
}

test('refusals say what is meant, are not tried again at once, and hold no token', async (t) => {
  const { standIn, forge } = await start(t)
  const reset = String(Math.ceil(Date.now() / 1000) + 90)
  const cases: readonly Refusal[] = [
    {
      answer: { status: 429, body: { message: 'Retry later' }, headers: { 'retry-after': '7' } },
      code: 'forge-unavailable',
      waits: [7000, 7000],
    },
    {
      answer: { status: 429, headers: { 'ratelimit-remaining': '0', 'ratelimit-reset': reset } },
      code: 'forge-unavailable',
      waits: [80_000, 91_000],
    },
    { answer: { status: 502 }, code: 'forge-unavailable' },
    {
      answer: { status: 403, body: { error: 'insufficient_scope' } },
      code: 'forge-denied',
      says: /insufficient_scope.*scope api, role Reporter/,
    },
    {
      answer: { status: 422, body: { message: { base: ['is invalid'] } } },
      code: 'forge-refused',
      says: /\{"base":\["is invalid"\]\}/,
    },
    { answer: { status: 301, headers: { location: 'https://elsewhere.invalid/' } }, code: 'forge-refused' },
  ]
  for (const { answer, code, says, waits } of cases) {
    const before = standIn.calls.length
    standIn.fail(LIST, answer)
    const error: unknown = await forge.openPullRequests('main').catch((error: unknown) => error)
    t.equal(standIn.calls.length, before + 1)
    t.ok(isFleetError(error) && error.code === code, inspect(error))
    if (!isFleetError(error)) continue
    if (says !== undefined) t.match(error.message, says)
    const [least = 0, most = 0] = waits ?? []
    const wait = Number(error.data.retryAfter ?? 0)
    t.ok(wait >= least && wait <= most, `waits ${wait} ms`)
    t.notMatch(inspect(error, { depth: 10, showHidden: true }), TOKEN)
  }
  t.strictSame(standIn.violations, [])
})

test('answers are checked', async (t) => {
  const { memory, standIn, forge } = await start(t)
  await memory.people.openPullRequest({ branch: 'b', title: 'B', files: { 'a.txt': 'a\n' } })
  standIn.fail(GET, { status: 200, body: { sha: 'not a commit' } })
  await t.rejects(forge.pullRequest(1), {
    code: 'forge-unavailable',
    message: /sha must be the id of a commit/,
  })
})

test('a merge request without commits has no head, and hides no other one', async (t) => {
  const { standIn, forge } = await start(t)
  const one = {
    ...{ iid: 7, title: 'B', web_url: 'https://gitlab.example.com/acme/fleet/-/merge_requests/7' },
    ...{ author: { username: 'grace', name: 'Grace' }, state: 'opened', sha: 'a'.repeat(40) },
    ...{ source_branch: 'b', target_branch: 'main', source_project_id: 1, target_project_id: 1 },
    updated_at: '2026-01-01T00:00:00.000Z',
  }
  standIn.fail(LIST, { status: 200, body: [{ ...one, iid: 8, sha: null }, one] })
  const found = await forge.openPullRequests('main')
  t.same(
    found.map(({ number }) => number),
    [7],
  )
})

test('a valid token whose user may not merge is not called revoked', async (t) => {
  const { memory, standIn, forge } = await start(t)
  const files = { 'a.txt': 'a\n' }
  const { number, head } = await memory.people.openPullRequest({ branch: 'b', title: 'B', files })
  standIn.fail(`PUT ${MERGE_REQUESTS}/{merge_request_iid}/merge`, {
    status: 401,
    body: { message: '401 Unauthorized' },
  })
  await t.rejects(forge.merge(number, head), { code: 'forge-denied', message: /must be allowed to merge/ })
})

test('a fast-forward is merged as its head, or as what it was squashed to', async (t) => {
  const { memory, standIn, forge } = await start(t)
  const files = { 'a.txt': 'a\n' }
  const { number, head } = await memory.people.openPullRequest({ branch: 'b', title: 'B', files })
  const plain = { state: 'merged', sha: head, merge_commit_sha: null, squash_commit_sha: null }
  for (const [body, mergedAs] of [
    [plain, head],
    [{ ...plain, squash_commit_sha: 'a'.repeat(40) }, 'a'.repeat(40)],
    [{ ...plain, squash_commit_sha: 'a'.repeat(40), merge_commit_sha: 'b'.repeat(40) }, 'b'.repeat(40)],
  ] as const) {
    standIn.fail(GET, { status: 200, body })
    t.match(await forge.pullRequest(number), { state: 'merged', mergedAs })
  }
})

test('a thread starts on a line of a file with a name that forms would take apart', async (t) => {
  const { memory, standIn, forge } = await start(t)
  const path = 'a&position[new_line]=9=ü.txt'
  const { number, head } = await memory.people.openPullRequest({
    branch: 'b',
    title: 'B',
    files: { [path]: 'a\nb\n' },
  })
  const report: CheckReport = {
    ...{ number, commit: head, name: 'fleetwright/plan', result: 'failure', title: '1 problem', summary: '' },
    annotations: [{ path, line: 2, column: 1, level: 'failure', title: 'Wrong', message: 'b' }],
  }
  await forge.report(report)
  t.match(await standIn.sight.annotations(number), [{ path, line: 2 }])
  t.strictSame(standIn.violations, [])
})

test('blocked members and parts of names have no permission', async (t) => {
  const { standIn, forge } = await start(t)
  t.equal(await forge.permission('rob'), 'read', 'robert is somebody else')
  const blocked = { id: 5, username: 'rob', name: 'Rob', state: 'blocked', access_level: 40 }
  standIn.fail('GET /projects/{id}/members/all', { status: 200, body: [blocked] })
  t.equal(await forge.permission('rob'), 'none')
})

test('a pending status stays one, whatever its words', async (t) => {
  const { memory, standIn, forge } = await start(t)
  const files = { 'a.txt': 'a\n' }
  const { number, head } = await memory.people.openPullRequest({ branch: 'b', title: 'B', files })
  const name = 'fleetwright/plan'
  const pending: CheckReport = {
    ...{ number, commit: head, name, result: 'pending', title: 'Waiting', summary: '', annotations: [] },
  }
  await forge.report(pending)
  // GitLab has no transition from pending to pending.
  await forge.report({ ...pending, title: 'Still waiting' })
  t.match(await standIn.sight.check(head, name), { result: 'pending' })
  await forge.report({ ...pending, result: 'success', title: 'Done' })
  t.strictSame(await standIn.sight.check(head, name), { result: 'success', title: 'Done' })
  standIn.fail('POST /projects/{id}/statuses/{sha}', { status: 400, body: { message: 'Something else' } })
  await t.rejects(forge.report({ ...pending, title: 'Again' }), { code: 'forge-refused' })
})

test('paths of projects', (t) => {
  t.equal(parseProjectPath('acme/platform/fleet'), 'acme/platform/fleet')
  for (const path of ['fleet', 'acme/', '/fleet', 'acme/../fleet', 'acme/fl?eet', ''])
    t.throws(() => parseProjectPath(path), { code: 'invalid-configuration' }, path)
  t.end()
})
