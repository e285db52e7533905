import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Log } from 'sarif'
import { type Test, test } from 'tap'
import { fleetwright, runHere, runProcess } from '../support/command-line.ts'
import { ACME_FOLDER, commitAll, GLOBEX_FOLDER, write, writeFleet } from '../support/fleet-folder.ts'
import { structureOf } from '../support/markdown.ts'
import { violationsOf } from '../support/published-schemas.ts'

const REQUEST =
  'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: initech\nspec:\n  owner: initech\n'
const CLASH = REQUEST.replace('owner: initech\n', 'owner: initech\n  dns: [acme.cloud.example.com]\n')

async function git(folder: string, ...args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await runProcess('git', args, { cwd: folder })
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

/** A checkout on a branch of its own, as a CI has it. */
async function pullRequest(t: Test, files: Readonly<Record<string, string>>): Promise<string> {
  const folder = join(t.testdir({ fleet: {} }), 'fleet')
  await writeFleet(folder)
  await commitAll(folder, 'Start')
  await git(folder, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
  await git(folder, 'switch', '--quiet', '--create', 'change')
  for (const [path, text] of Object.entries(files)) await write(folder, path, text)
  if (Object.keys(files).length > 0) await commitAll(folder, 'Change')
  return folder
}

const CI = { GITHUB_BASE_REF: 'main', GITHUB_ACTOR: 'ada' }

test('a change that can be merged is told with what it does', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': REQUEST })
  const { code, stdout, stderr } = await fleetwright(['check'], { cwd: folder, environment: CI })
  t.match({ code, stderr }, { code: 0, stderr: '' })
  t.match(stdout, /^\+ installation initech on prod-1: is made at initech\.cloud\.example\.com$/m)
  t.match(stdout, /^Create installation initech on prod-1$/m)
  t.match(stdout, /^1 new\. ✅ Can be merged\n$/m)
  const json = await runHere(['check', folder, '--base', 'origin/main', '--format', 'json'])
  t.match(JSON.parse(json.stdout), {
    base: await git(folder, 'rev-parse', 'origin/main'),
    head: await git(folder, 'rev-parse', 'HEAD'),
    problems: [],
    impact: { clusters: [{ cluster: 'prod-1', before: 2, after: 3 }] },
  })
})

test('what is wrong is told in every format, and ends with 1', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': CLASH })
  const run = (format: string) => runHere(['check', folder, '--format', format], CI)
  t.match(await run('text'), {
    code: 1,
    stdout:
      /^requests\/initech\.yaml:7:\d+: error: the DNS name acme\.cloud\.example\.com is in use.* \[dns-taken\]$/m,
  })
  t.match(await run('github'), {
    code: 1,
    stdout:
      /^::error file=requests\/initech\.yaml,line=7,col=\d+,title=The DNS name is taken \(dns-taken\)::the DNS name acme/m,
  })
  const markdown = await run('markdown')
  t.match(markdown.stdout, /^### ❌ Must not be merged: 1 problem\n/)
  t.ok(structureOf(markdown.stdout).includes('h4'))
  t.match(JSON.parse((await run('gitlab')).stdout), [
    {
      check_name: 'dns-taken',
      severity: 'major',
      location: { path: 'requests/initech.yaml', lines: { begin: 7 } },
    },
  ])
  const sarif: Log = JSON.parse((await run('sarif')).stdout)
  t.strictSame(violationsOf('sarif-2.1.0-rtm.5', sarif), [])
  t.match(sarif.runs[0]?.results, [
    {
      ruleId: 'dns-taken',
      locations: [
        {
          physicalLocation: { artifactLocation: { uri: 'requests/initech.yaml' }, region: { startLine: 7 } },
        },
      ],
    },
  ])
  t.match((await run('json')).code, 1)
})

test('the base is what the CI names, what is given, or wrong use', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': CLASH })
  const base = await git(folder, 'rev-parse', 'origin/main')
  const environments: readonly Readonly<Record<string, string>>[] = [
    { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main' },
    { CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'not-fetched', CI_MERGE_REQUEST_DIFF_BASE_SHA: base },
    { BITBUCKET_PR_DESTINATION_BRANCH: 'main' },
    { SYSTEM_PULLREQUEST_TARGETBRANCH: 'refs/heads/main' },
    { GITHUB_BASE_REF: '', CHANGE_TARGET: 'main' },
  ]
  for (const environment of environments)
    t.match(await runHere(['check', folder], environment), { code: 1 }, JSON.stringify(environment))
  t.match(await runHere(['check', folder], { GITHUB_BASE_REF: 'gone' }), {
    code: 2,
    stdout: /has none of refs\/remotes\/origin\/gone, refs\/heads\/gone.*fetch the branch, or give --base/,
  })
  t.match(await runHere(['check', folder, '--base', 'nope']), { code: 2, stdout: /no commit nope/ })
  t.match(await runHere(['check', folder, '--base', '--output=x']), { code: 2 })
  t.match(await runHere(['check', folder, '--format', 'html']), { code: 2 })
  t.match(
    await runHere(['check', folder]),
    { code: 0 },
    'a branch that follows nothing is compared with itself',
  )
})

test('a checkout without its history, or no checkout, is wrong use', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': REQUEST })
  const shallow = join(folder, '../shallow')
  await runProcess('git', ['clone', '--quiet', '--depth', '1', `file://${folder}`, shallow])
  t.match(await runHere(['check', shallow, '--base', 'HEAD']), { code: 2, stdout: /fetch-depth: 0/ })
  t.match(await runHere(['check', t.testdirName]), { code: 2, stdout: /is not a git checkout/ })
})

test('what is checked is the commit, laid over a base that went on, in a working tree of its own too', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': REQUEST })
  await git(folder, 'switch', '--quiet', 'main')
  await write(
    folder,
    'requests/hooli.yaml',
    REQUEST.replace('name: initech', 'name: hooli').replace(
      'owner: initech\n',
      'owner: hooli\n  dns: [initech.cloud.example.com]\n',
    ),
  )
  await commitAll(folder, 'Somebody was faster')
  await git(folder, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
  await git(folder, 'switch', '--quiet', 'change')
  await write(folder, 'requests/umbrella.yaml', 'broken')
  const { code, stdout, stderr } = await fleetwright(['check', folder], { environment: CI })
  t.match(stderr, /^1 file not committed and not looked at/)
  t.notMatch(stdout, /umbrella/)
  t.equal(code, 0, 'a request of main that has no id yet takes no name')
  await git(folder, 'worktree', 'add', '--quiet', '--detach', `${folder}/../tree`, 'change')
  t.match(await runHere(['check', join(folder, '../tree')], CI), { code: 0, stdout: /Can be merged/ })
})

test('--output writes the format, and text goes to standard output; the page of a run gets the comment', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': CLASH })
  const [output, page] = [join(folder, '../report.sarif'), join(folder, '../page.md')]
  const found = await runHere(['check', folder, '--format', 'sarif', '--output', output], CI)
  t.match(found, { code: 1, stdout: /^requests\/initech\.yaml:7:/ })
  t.strictSame(violationsOf('sarif-2.1.0-rtm.5', JSON.parse(await readFile(output, 'utf8'))), [])
  await runHere(['check', folder, '--format', 'github'], { ...CI, GITHUB_STEP_SUMMARY: page })
  t.match(await readFile(page, 'utf8'), /^### ❌ Must not be merged/)
  t.match(await runHere(['check', folder, '--output', join(folder, 'no/such/folder')], CI), {
    code: 2,
    stdout: /cannot be written/,
  })
})

test('hostile commits are refused and nothing of them is carried out', async (t) => {
  const folder = await pullRequest(t, { 'requests/initech.yaml': REQUEST })
  await runProcess('ln', ['-s', '/etc/passwd', join(folder, 'requests/link.yaml')])
  await write(folder, '.gitattributes', '* filter=evil\n')
  await write(folder, 'requests/::error::x.yaml', 'kind: [\n')
  await commitAll(folder, 'Worse')
  const { code, stdout } = await runHere(['check', folder], CI)
  t.equal(code, 1)
  t.match(stdout, /requests\/link\.yaml/)
  t.notMatch(stdout, /^::/m, 'no line is a command of a runner')
  t.match(await runHere(['check', folder, '--format', 'sarif'], CI), { code: 1 })
})

test('the same words as plan and the server: removed and edited files', async (t) => {
  const folder = await pullRequest(t, {})
  await git(folder, 'rm', '--quiet', `${GLOBEX_FOLDER}/installation.yaml`)
  const manifest = await readFile(join(folder, ACME_FOLDER, 'manifest.yaml'), 'utf8')
  await write(folder, `${ACME_FOLDER}/manifest.yaml`, manifest.replace('replicas: 1', 'replicas: 3'))
  await commitAll(folder, 'By hand')
  const { code, stdout } = await runHere(['check', folder], CI)
  t.equal(code, 1)
  t.match(
    stdout,
    `${GLOBEX_FOLDER}/installation.yaml:1:1: error: installation globex was removed without a tombstone`,
  )
  t.match(
    stdout,
    `${ACME_FOLDER}/manifest.yaml:1:1: error: this rendered file is not what its document renders to`,
  )
})

test('the policy of main holds, for the author and the teams that are given', async (t) => {
  const policy =
    '  changePolicy:\n    pullRequests:\n      largestSize: 100users\n      owners:\n        - kind: Group\n          teams: [fleet]\n          logins: [grace]\n'
  const folder = await pullRequest(t, {})
  await git(folder, 'switch', '--quiet', 'main')
  await write(folder, 'fleet.yaml', `${await readFile(join(folder, 'fleet.yaml'), 'utf8')}${policy}`)
  await commitAll(folder, 'A policy')
  await git(folder, 'update-ref', 'refs/remotes/origin/main', 'HEAD')
  await git(folder, 'switch', '--quiet', '--create', 'other')
  const group = await readFile(join(folder, 'groups/canary.yaml'), 'utf8')
  await write(folder, 'groups/canary.yaml', group.replace('"11.2.0"', '"11.3.0"'))
  await commitAll(folder, 'Change the group')
  const run = (...args: readonly string[]) => runHere(['check', folder, ...args], CI)
  t.match(await run(), { code: 1, stdout: /^groups\/canary\.yaml:.* error: .* \[change-policy\]$/m })
  t.match(await run('--author', 'grace'), { code: 0 })
  t.match(await run('--team', 'other', '--team', 'fleet'), { code: 0 })
  await write(folder, 'requests/initech.yaml', `${REQUEST}  size: 5000users\n`)
  await write(folder, 'fleet.yaml', (await readFile(join(folder, 'fleet.yaml'), 'utf8')).replace(policy, ''))
  await commitAll(folder, 'Too large, and no policy')
  t.match(await run('--author', 'grace'), {
    code: 1,
    stdout: /^requests\/initech\.yaml:7:.*size 5000users is larger/m,
  })
})
