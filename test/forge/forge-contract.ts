/** What every forge must do, whichever it is. One world for all tests; each works on pull requests of its own. */
import type { Test } from 'tap'
import { isFleetError } from '../../src/fleet/errors.ts'
import type { Annotation, CheckReport, PullRequest } from '../../src/ports/forge.ts'
import type { ForgeWorld } from '../support/forge-world.ts'
import { until } from '../support/until.ts'

const CHECK = 'fleetwright/plan'
const LINES = Array.from({ length: 40 }, (_, at) => `line-${at + 1}: same`)

/** Lines of `contract/lines.txt`, which is on main, with some of them changed. */
function linesWith(changed: Readonly<Record<number, string>>): string {
  return `${LINES.map((line, at) => changed[at + 1] ?? line).join('\n')}\n`
}

export async function forgeContract(t: Test, world: ForgeWorld): Promise<void> {
  await world.people.commit('main', { 'contract/lines.txt': linesWith({}), 'contract/still.txt': 'still\n' })
  await t.test('access', (t) => access(t, world))
  await t.test('a pull request is read as it was opened', (t) => opened(t, world))
  await t.test('a push moves the head', (t) => pushed(t, world))
  await t.test('drafts and forks are told', (t) => draftsAndForks(t, world))
  for (const style of ['merge', 'squash', 'rebase'] as const)
    await t.test(`${style}: it tells the commit of main`, (t) => merged(t, world, style))
  await t.test('closed ones have ended, without a commit', (t) => closed(t, world))
  await t.test('every page is read', (t) => pages(t, world))
  await t.test('a number that nobody has', async (t) => {
    t.equal(await world.forge.pullRequest(987_654), undefined)
  })
  await t.test('reports', (t) => reports(t, world))
  await t.test('reports of hostile or huge content', (t) => hostileReports(t, world))
  await t.test('comments', (t) => comments(t, world))
  await t.test('own pull requests', (t) => own(t, world))
  await t.test('merging', (t) => merging(t, world))
  await t.test('permissions', async (t) => {
    for (const [login, permission] of world.permissions)
      t.equal(await world.forge.permission(login), permission, login)
  })
  await t.test('teams', (t) => teams(t, world))
  await t.test('a token that is not valid', (t) => denied(t, world))
  await t.test('a forge that does not answer', async (t) => {
    const forge = await world.unreachable()
    await refusedWith(t, 'forge-unavailable', () => forge.openPullRequests('main'))
    await forge.stop()
  })
}

async function access(t: Test, { forge, people }: ForgeWorld): Promise<void> {
  const before = await forge.access()
  t.match(before, { canPush: true, canReport: true, main: 'open' })
  t.not(before.login, people.login)
  t.ok(before.repository)
  await people.protectMain('for-all')
  t.strictSame(await forge.access(), { ...before, main: 'protected' })
  await people.protectMain('with-bypass')
  t.strictSame(await forge.access(), { ...before, main: 'protected-with-bypass' })
  await people.protectMain('not')
  t.strictSame(await forge.access(), before)
}

async function opened(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const title = 'Add a workspace “Grüße” <b>'
  const files = { 'contract/opened.txt': 'opened\n' }
  const { number, head } = await people.openPullRequest({ branch: 'contract/opened', title, files })
  const found = await given(forge.pullRequest(number))
  t.match(found, {
    number,
    head,
    title,
    author: { login: people.login },
    state: 'open',
    isDraft: false,
    isFork: false,
    branch: 'contract/opened',
    base: 'main',
  })
  t.equal(found.mergedAs, undefined)
  t.match(found.url, new RegExp(`^https?://.+/${number}$`))
  t.ok(Math.abs(Date.now() - found.updatedAt) < 10 * 60_000, 'milliseconds since 1970')
  await until(
    () => sight.tip(found.headRef),
    (tip) => tip === head,
  )
  t.strictSame(await among(forge.openPullRequests('main'), number), found, 'the list says the same')
  t.equal(await among(forge.endedPullRequests('main', 0), number), undefined)
  t.equal(await among(forge.openPullRequests('another'), number), undefined, 'it goes to main')
  await people.commit('contract/base', { 'contract/base.txt': 'base\n' })
  const other = await people.openPullRequest({
    branch: 'contract/to-base',
    base: 'contract/base',
    title: 'To another branch',
    files: { 'contract/to-base.txt': 'x\n' },
  })
  t.equal(await among(forge.openPullRequests('main'), other.number), undefined)
  t.match(await among(forge.openPullRequests('contract/base'), other.number), { base: 'contract/base' })
}

async function pushed(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const files = { 'contract/pushed.txt': 'one\n' }
  const { number, head } = await people.openPullRequest({ branch: 'contract/pushed', title: 'Push', files })
  const before = await given(forge.pullRequest(number))
  const next = await people.push(number, { 'contract/pushed.txt': 'two\n' })
  t.not(next, head)
  const after = await given(forge.pullRequest(number))
  t.equal(after.head, next)
  t.ok(after.updatedAt >= before.updatedAt)
  const tip = await until(
    () => sight.tip(after.headRef),
    (tip) => tip === next,
  )
  t.equal(tip, next, 'the repository has it too')
}

async function draftsAndForks(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const files = { 'contract/draft.txt': 'draft\n' }
  const draft = await people.openPullRequest({
    branch: 'contract/draft',
    title: 'Draft',
    files,
    isDraft: true,
  })
  t.match(await forge.pullRequest(draft.number), { isDraft: true, isFork: false })
  const forked = await people.openPullRequest({
    branch: 'contract-forked',
    title: 'From a fork',
    files: { 'contract/forked.txt': 'forked\n' },
    fromFork: true,
  })
  const found = await given(forge.pullRequest(forked.number))
  t.match(found, { isFork: true, isDraft: false, branch: 'contract-forked', head: forked.head })
  t.equal(await sight.tip(found.headRef), forked.head, 'the fleet repository has its head')
}

async function merged(
  t: Test,
  { forge, people, sight }: ForgeWorld,
  style: 'merge' | 'squash' | 'rebase',
): Promise<void> {
  const started = Date.now()
  const { number } = await people.openPullRequest({
    branch: `contract/${style}`,
    title: `By ${style}`,
    files: { [`contract/${style}.txt`]: 'one\n' },
  })
  const head = await people.push(number, { [`contract/${style}-2.txt`]: 'two\n' })
  // Main moves meanwhile, so that nothing can be a fast-forward.
  await people.commit('main', { [`contract/${style}-meanwhile.txt`]: 'main\n' })
  const main = await people.merge(number, style)
  t.equal(await sight.tip('refs/heads/main'), main)
  const found = await until(
    () => given(forge.pullRequest(number)),
    ({ state }) => state === 'merged',
  )
  t.match(found, { mergedAs: main, head, base: 'main' })
  t.equal(await among(forge.openPullRequests('main'), number), undefined)
  t.strictSame(await among(forge.endedPullRequests('main', started), number), found)
}

async function closed(t: Test, { forge, people }: ForgeWorld): Promise<void> {
  const files = { 'contract/closed.txt': 'closed\n' }
  const { number } = await people.openPullRequest({ branch: 'contract/closed', title: 'Close', files })
  await people.closePullRequest(number)
  const found = await given(forge.pullRequest(number))
  t.equal(found.state, 'closed')
  t.equal(found.mergedAs, undefined)
  t.strictSame(await among(forge.endedPullRequests('main', found.updatedAt), number), found, 'just then')
  t.equal(await among(forge.endedPullRequests('main', found.updatedAt + 60_000), number), undefined, 'later')
  const ended = await forge.endedPullRequests('main', 0)
  const times = ended.map(({ updatedAt }) => updatedAt)
  t.strictSame(
    times,
    times.toSorted((one, other) => other - one),
    'newest first',
  )
  t.ok(ended.every(({ state }) => state !== 'open'))
}

async function pages(t: Test, { forge, people }: ForgeWorld): Promise<void> {
  const numbers: number[] = []
  for (let at = 1; at <= 7; at += 1) {
    const files = { [`contract/page-${at}.txt`]: `${at}\n` }
    const { number } = await people.openPullRequest({ branch: `contract/page-${at}`, title: `${at}`, files })
    numbers.push(number)
  }
  const open = (await forge.openPullRequests('main')).map(({ number }) => number)
  t.strictSame(
    numbers.filter((number) => !open.includes(number)),
    [],
    'none is left out',
  )
  t.equal(new Set(open).size, open.length, 'none twice')
  for (const number of numbers) await people.closePullRequest(number)
  const ended = (await forge.endedPullRequests('main', 0)).map(({ number }) => number)
  t.strictSame(
    numbers.filter((number) => !ended.includes(number)),
    [],
  )
}

function annotation(path: string, line: number, message: string): Annotation {
  return { path, line, column: 1, level: 'failure', title: `${path} is wrong`, message }
}

async function reports(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const { number, head } = await people.openPullRequest({
    branch: 'contract/reports',
    title: 'Reports',
    files: { 'contract/lines.txt': linesWith({ 20: 'line-20: changed' }), 'contract/new.txt': 'a\nb\nc\n' },
  })
  const report: CheckReport = {
    number,
    commit: head,
    name: CHECK,
    result: 'pending',
    title: 'Being checked',
    summary: 'Wait',
    url: 'https://fleetwright.invalid/reviews/1',
    annotations: [],
  }
  await forge.report(report)
  t.strictSame(await sight.check(head, CHECK), { result: 'pending', title: 'Being checked' })
  const annotations = [
    annotation('contract/lines.txt', 20, 'This line was changed'),
    annotation('contract/new.txt', 2, 'This line is new'),
    annotation('contract/lines.txt', 2, 'This line is far from any change'),
    annotation('contract/still.txt', 1, 'This file is not part of it'),
    annotation('contract/no-such-file.txt', 3, 'This file is not there'),
    annotation('contract/new.txt', 0, 'This is about the whole file'),
    annotation('contract/new.txt', 900, 'This line is not there'),
  ]
  const failed: CheckReport = { ...report, result: 'failure', title: '7 problems', annotations }
  await forge.report(failed)
  t.strictSame(await sight.check(head, CHECK), { result: 'failure', title: '7 problems' })
  const shown = await sight.annotations(number)
  t.match(
    shown.find(({ text }) => text.includes('This line was changed')),
    { path: 'contract/lines.txt', line: 20 },
  )
  t.match(
    shown.find(({ text }) => text.includes('This line is new')),
    { path: 'contract/new.txt', line: 2 },
  )
  for (const { message, path } of annotations) {
    const those = shown.filter(({ text }) => text.includes(message))
    t.equal(those.length, 1, `${message}: shown once`)
    t.ok(those[0]?.path === path || those[0]?.text.includes(path), `${message}: says where`)
  }
  const written = await sight.timesReported(head, CHECK)
  await forge.report(failed)
  t.equal(await sight.timesReported(head, CHECK), written, 'the same again changes nothing')
  t.strictSame(await sight.annotations(number), shown)
  const [first, ...rest] = annotations
  await forge.report({ ...failed, annotations: rest })
  const fewer = await sight.annotations(number)
  t.notOk(
    fewer.some(({ text }) => text.includes(first?.message ?? '')),
    'what was corrected is gone',
  )
  t.equal(fewer.filter(({ text }) => text.includes('This line is new')).length, 1)
  const next = await people.push(number, { 'contract/new.txt': 'a\nB\nc\n' })
  await forge.report({ ...report, commit: next, result: 'success', title: 'Nothing is wrong' })
  t.strictSame(await sight.check(next, CHECK), { result: 'success', title: 'Nothing is wrong' })
  t.strictSame(await sight.annotations(number), [], 'no annotations are left')
  t.match(await sight.check(head, CHECK), { result: 'failure' }, 'the head before keeps its result')
}

async function hostileReports(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const { number, head } = await people.openPullRequest({
    branch: 'contract/hostile',
    title: 'Hostile',
    files: { 'contract/hostile.txt': `${LINES.join('\n')}\n`, 'contract/ä [b](c).txt': 'x\n' },
  })
  const marker = `<!-- fleetwright:${CHECK} -->`
  const many = Array.from({ length: 300 }, (_, at) =>
    annotation('contract/hostile.txt', (at % 40) + 1, `Problem number ${at} ${'x'.repeat(400)}`),
  )
  await forge.report({
    number,
    commit: head,
    name: CHECK,
    result: 'failure',
    title: `First line\nsecond line ${'é'.repeat(3000)}`,
    summary: 's'.repeat(200_000),
    annotations: [annotation('contract/ä [b](c).txt', 1, `${marker} \u0000 </details> @all`), ...many],
  })
  const check = await sight.check(head, CHECK)
  t.equal(check?.result, 'failure')
  t.match(check?.title, /^First line/)
  const shown = await sight.annotations(number)
  t.ok(
    shown.some(({ text }) => text.includes('Problem number 0 ')),
    'the first of many are shown',
  )
  await forge.report({
    number,
    commit: head,
    name: CHECK,
    result: 'success',
    title: 'x',
    summary: '',
    annotations: [],
  })
  t.strictSame(await sight.annotations(number), [])
}

async function comments(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const files = { 'contract/comments.txt': 'x\n' }
  const { number } = await people.openPullRequest({ branch: 'contract/comments', title: 'Comments', files })
  const { login } = await forge.access()
  const own = async () => (await sight.comments(number)).filter(({ author }) => author === login)
  const forged = '<!-- fleetwright:plan -->\nMine, though it looks like yours'
  await people.comment(number, forged)
  await forge.comment(number, 'plan', 'First **words**')
  t.equal((await own()).length, 1)
  t.match((await own())[0]?.text, 'First **words**')
  const before = await sight.comments(number)
  await forge.comment(number, 'plan', 'First **words**')
  t.strictSame(await sight.comments(number), before, 'the same again changes nothing')
  await forge.comment(number, 'plan', 'Other words, <!-- fleetwright:live --> in them')
  t.equal((await own()).length, 1, 'in place')
  t.match((await own())[0]?.text, 'Other words')
  await forge.comment(number, 'live', 'It is live')
  t.equal((await own()).length, 2, 'one for each key, whatever is in their words')
  t.ok(
    (await sight.comments(number)).some(({ text }) => text === forged),
    "a person's is left alone",
  )
  await people.deleteCommentsOfFleetwright(number)
  await forge.comment(number, 'plan', 'Once more')
  t.equal((await own()).length, 1, 'one that was deleted is written again')
  for (let at = 0; at < 6; at += 1) await people.comment(number, `Talk ${at}`)
  await forge.comment(number, 'plan', 'Long after')
  t.equal((await own()).length, 1, 'it is found however much was said since')
  const long = `${'A line of a long text\n'.repeat(20_000)}The end`
  await forge.comment(number, 'plan', long)
  t.equal((await own()).length, 1, 'a long text is shortened to what the forge takes')
  await people.closePullRequest(number)
  await forge.comment(number, 'plan', 'After the end')
  t.match((await own())[0]?.text, 'After the end')
}

async function own(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const branch = 'fleetwright/contract-own'
  const head = await people.commit(branch, { 'contract/own.txt': 'own\n' })
  const request = { branch, base: 'main', title: 'Delete a workspace', body: 'Because of the change policy' }
  const made = await forge.open(request)
  const { login } = await forge.access()
  t.match(made, { title: request.title, state: 'open', branch, base: 'main', head, author: { login } })
  t.strictSame((await forge.open({ ...request, title: 'Again' })).number, made.number, 'the one there is')
  await forge.close(made.number)
  t.match(await forge.pullRequest(made.number), { state: 'closed' })
  await forge.close(made.number)
  const second = await forge.open(request)
  t.not(second.number, made.number, 'one that has ended is not opened again')
  await forge.close(second.number)
  await forge.deleteBranch(branch)
  t.equal(await sight.tip(`refs/heads/${branch}`), undefined)
  await forge.deleteBranch(branch)
  await refusedWith(t, 'forge-refused', () => forge.open({ ...request, branch: 'contract/no-such-branch' }))
}

async function merging(t: Test, { forge, people, sight }: ForgeWorld): Promise<void> {
  const files = { 'contract/merging.txt': 'x\n' }
  const { number, head } = await people.openPullRequest({ branch: 'contract/merging', title: 'Merge', files })
  const next = await people.push(number, { 'contract/merging.txt': 'y\n' })
  t.equal(await forge.merge(number, head), false, 'the head has moved')
  t.match(await forge.pullRequest(number), { state: 'open' })
  const done = await until(
    () => forge.merge(number, next),
    (merged) => merged,
  )
  t.equal(done, true)
  t.match(await forge.pullRequest(number), { state: 'merged', mergedAs: await sight.tip('refs/heads/main') })
  t.equal(await forge.merge(number, next), true, 'it is merged already')
  const other = await people.openPullRequest({
    branch: 'contract/not-merged',
    title: 'Closed',
    files: { 'contract/not-merged.txt': 'x\n' },
  })
  await people.closePullRequest(other.number)
  t.equal(await forge.merge(other.number, other.head), false, 'it was closed')
}

async function teams(t: Test, { forge, team }: ForgeWorld): Promise<void> {
  t.equal(await forge.teamMembers('no-such-team-anywhere'), undefined)
  if (team === undefined) return
  t.strictSame(await forge.teamMembers(team.name), new Set(team.members))
}

async function denied(t: Test, world: ForgeWorld): Promise<void> {
  const { forge, token } = await world.denied()
  const calls = [
    () => forge.access(),
    () => forge.openPullRequests('main'),
    () => forge.pullRequest(1),
    () => forge.comment(1, 'plan', 'x'),
    () => forge.deleteBranch('x'),
  ]
  for (const call of calls) {
    const error = await refusedWith(t, 'forge-denied', call)
    t.notOk(JSON.stringify([error, String(error)]).includes(token), 'the token is in no error')
  }
  await forge.stop()
}

async function refusedWith(t: Test, code: string, call: () => Promise<unknown>): Promise<unknown> {
  const error = await call().then(
    () => undefined,
    (error: unknown) => error,
  )
  t.equal(isFleetError(error) ? error.code : String(error), code)
  return error
}

async function given(asked: Promise<PullRequest | undefined>): Promise<PullRequest> {
  const found = await asked
  if (found === undefined) throw new Error('there is no such pull request')
  return found
}

async function among(
  asked: Promise<readonly PullRequest[]>,
  number: number,
): Promise<PullRequest | undefined> {
  return (await asked).find((one) => one.number === number)
}
