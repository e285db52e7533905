import { test } from 'tap'
import type { ObjectId, RefName } from '../../src/fleet/ids.ts'
import type { CheckedPullRequest } from '../../src/ports/pull-requests.ts'
import { runHere } from '../support/command-line.ts'
import { startTestServer, TOKEN } from '../support/server.ts'

const server = await startTestServer('all')
const environment = { FLEETWRIGHT_SERVER: server.url, FLEETWRIGHT_TOKEN: TOKEN }
const HEAD = 'a'.repeat(40) as ObjectId
const MAIN = 'b'.repeat(40) as ObjectId

function checked(number: number, title: string, more: Partial<CheckedPullRequest> = {}): CheckedPullRequest {
  return {
    pull: {
      ...{ number, title, url: `https://git.example.com/team/fleet/pulls/${number}` },
      ...{ author: { login: 'grace', name: 'Grace' }, state: 'open', isDraft: false, isFork: false },
      ...{ branch: 'x', base: 'main', head: HEAD, headRef: `refs/pull/${number}/head` as RefName },
      updatedAt: 0,
    },
    result: 'success',
    checkedHead: HEAD,
    plannedOn: MAIN,
    problems: 0,
    warnings: 0,
    checkedAt: Date.UTC(2026, 10, 24, 11),
    ...more,
  }
}

function list(...all: readonly CheckedPullRequest[]): void {
  Object.assign(server.server.parts.pullRequests, {
    repository: 'https://git.example.com/team/fleet',
    list: () => all,
  })
}

test('without a forge it says that nothing is looked at', async (t) => {
  t.match(await runHere(['pull-requests'], environment), {
    code: 0,
    stdout: 'The server looks at no pull requests: it has no forge (setting forge).\n',
  })
})

test('without any it says so', async (t) => {
  list()
  t.match(await runHere(['pull-requests'], environment), { code: 0, stdout: 'No pull request is open.\n' })
})

test('each is a verdict and a title, with who, which head, and on which main it was planned', async (t) => {
  const pending = {
    result: 'pending',
    checkedHead: undefined,
    plannedOn: undefined,
    checkedAt: undefined,
  } as const
  list(
    checked(12, 'Add acme'),
    checked(7, 'Add globex', { result: 'failure', problems: 2 }),
    checked(3, 'Add initech', pending),
  )
  const { code, stdout } = await runHere(['pull-requests'], environment)
  t.equal(code, 0)
  t.match(
    stdout,
    /^#12 {2}success {7}Add acme\n {5}grace, a{12}, checked on b{12} at 2026-11-24T11:00:00.000Z$/m,
  )
  t.match(stdout, /^ #7 {2}2 problems {4}Add globex$/m)
  t.match(stdout, /^ #3 {2}pending {7}Add initech\n {5}grace, a{12}, not checked yet$/m)
})

test('a title cannot write to the terminal, or past the end of a line', async (t) => {
  list(checked(1, `\u001b[2J\u202e${'x'.repeat(300)}`))
  const { stdout } = await runHere(['pull-requests'], environment)
  t.notMatch(stdout, /[\u001b\u202e]/)
  for (const line of stdout.split('\n')) t.ok(line.length <= 100, line)
})

test('as JSON', async (t) => {
  list(checked(12, 'Add acme'))
  const { stdout } = await runHere(['pull-requests', '--json'], environment)
  t.match(JSON.parse(stdout), { pullRequests: [{ number: 12, result: 'success', plannedOn: MAIN }] })
})

test('the server closes', (t) => t.resolves(server.close()))
