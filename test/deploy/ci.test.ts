/** What a CI runs is valid, and really runs: in a clone as its runner makes it, with the variables that it sets. */
import { readFileSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { parse } from 'yaml'
import { type Ran, ROOT, runProcess } from '../support/command-line.ts'
import { commitAll, write, writeFleet } from '../support/fleet-folder.ts'
import { violationsOf } from '../support/published-schemas.ts'

const CI = join(ROOT, 'deploy/ci')
const read = (path: string) => parse(readFileSync(join(CI, path), 'utf8'))

interface Step {
  readonly uses?: string
  readonly with?: Readonly<Record<string, unknown>>
  readonly run?: string
  readonly shell?: string
  readonly env?: Readonly<Record<string, string>>
}
interface Action {
  readonly inputs: Readonly<Record<string, { readonly default?: string }>>
  readonly runs: { readonly steps: readonly Step[] }
}
interface Workflow {
  readonly on: Readonly<Record<string, unknown>>
  readonly permissions: unknown
  readonly jobs: Readonly<Record<string, { readonly steps: readonly Step[] }>>
}
const action: Action = read('github/action.yml')
const workflow: Workflow = read('github/workflow.yml')
const gitlab = read('gitlab/fleetwright-check.yml')

const REQUEST =
  'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: initech\nspec:\n  owner: initech\n'
const CLASH = `${REQUEST}  dns: [acme.cloud.example.com]\n`

interface Runner {
  /** Clone with the head of the change checked out, and main as it is on the server. */
  readonly checkout: string
  readonly temporary: string
  /** Tarball that runs the sources; that the real one runs is tested with the package. */
  readonly tarball: string
}

async function must(command: string, args: readonly string[], cwd: string): Promise<string> {
  const { code, stdout, stderr } = await runProcess(command, args, { cwd })
  if (code !== 0) throw new Error(stderr)
  return stdout.trim()
}

async function runner(t: Test, request: string): Promise<Runner> {
  const folder = t.testdir({ origin: {}, temporary: {}, package: {} })
  const origin = join(folder, 'origin')
  await writeFleet(origin)
  await commitAll(origin, 'Start')
  await must('git', ['switch', '--quiet', '--create', 'change'], origin)
  await write(origin, 'requests/initech.yaml', request)
  await commitAll(origin, 'Change')
  const head = await must('git', ['rev-parse', 'HEAD'], origin)
  await must('git', ['switch', '--quiet', 'main'], origin)
  const checkout = join(folder, 'checkout')
  await must('git', ['clone', '--quiet', origin, checkout], folder)
  await must('git', ['checkout', '--quiet', '--detach', head], checkout)
  const home = join(folder, 'package')
  const manifest = { name: 'fleetwright', version: '0.0.1', type: 'module', bin: { fleetwright: 'run.js' } }
  await writeFile(join(home, 'package.json'), JSON.stringify(manifest))
  await writeFile(
    join(home, 'run.js'),
    `#!/usr/bin/env node\nawait import(${JSON.stringify(join(ROOT, 'src/main.ts'))})\n`,
  )
  const packed = await must('npm', ['pack', '--silent', '--pack-destination', folder], home)
  return { checkout, temporary: join(folder, 'temporary'), tarball: join(folder, packed) }
}

const PATH = `${join(ROOT, 'node_modules/node/bin')}:${process.env.PATH}`

/** As GitHub's runner runs `shell: bash`. */
async function bash(
  script: string,
  cwd: string,
  environment: Readonly<Record<string, string>>,
): Promise<Ran> {
  return await runProcess('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd,
    environment: { ...environment, PATH },
  })
}

async function runAction(
  { checkout, temporary }: Runner,
  inputs: Readonly<Record<string, string>>,
): Promise<Ran> {
  const value = (expression: string): string =>
    expression.replaceAll(
      /\$\{\{ inputs\.(\w+) \}\}/g,
      (_, name: string) => inputs[name] ?? action.inputs[name]?.default ?? '',
    )
  const github = {
    RUNNER_TEMP: temporary,
    GITHUB_BASE_REF: 'main',
    GITHUB_STEP_SUMMARY: join(temporary, 'page.md'),
  }
  let last: Ran = { code: 0, stdout: '', stderr: '' }
  for (const { run, env = {} } of action.runs.steps) {
    if (run === undefined || last.code !== 0) continue
    const given = Object.fromEntries(Object.entries(env).map(([name, text]) => [name, value(text)]))
    last = await bash(run, checkout, { ...github, ...given })
  }
  return last
}

test('action, workflow and template are what their schemas say', async (t) => {
  t.strictSame(violationsOf('github-action', action), [])
  t.strictSame(violationsOf('github-workflow', workflow), [])
  t.strictSame(violationsOf('gitlab-ci', gitlab), [])
  t.not(
    violationsOf('github-action', { ...action, runs: { using: 'composite' } }).length,
    0,
    'the schema refuses',
  )
  t.not(violationsOf('gitlab-ci', { job: { script: 1 } }).length, 0)
})

test('the workflow has no more rights than it needs, and nothing in it moves by itself', async (t) => {
  t.strictSame(workflow.permissions, { contents: 'read' })
  t.strictSame(Object.keys(workflow.on), ['pull_request'])
  const steps = [...Object.values(workflow.jobs).flatMap((job) => job.steps), ...action.runs.steps]
  const uses = steps.flatMap((step) => step.uses ?? [])
  t.equal(uses.length, 3)
  for (const name of uses) t.match(name, /@(?:[0-9a-f]{40}|COMMIT)$/)
  t.match(steps[0]?.with, { 'fetch-depth': 0, 'persist-credentials': false })
  for (const { run } of action.runs.steps) t.notMatch(run ?? '', /\$\{\{/, 'no expression in a script')
})

test('the action passes what can be merged, and fails with annotations otherwise', async (t) => {
  const fine = await runner(t, REQUEST)
  const author = "ada'; touch x #"
  t.match(await runAction(fine, { package: fine.tarball, author, teams: 'fleet\norg/other\n' }), {
    code: 0,
    stdout: /✅ Can be merged/,
  })
  t.match(await readFile(join(fine.temporary, 'page.md'), 'utf8'), /^### ✅ Can be merged/)
  const wrong = await runner(t, CLASH)
  t.match(await runAction(wrong, { package: wrong.tarball }), {
    code: 1,
    stdout: /^::error file=requests\/initech\.yaml,line=7,/m,
  })
  t.match(
    await runAction(wrong, { package: wrong.tarball, base: 'HEAD', format: 'sarif', output: 'x.sarif' }),
    { code: 0 },
  )
  t.match(JSON.parse(await readFile(join(wrong.checkout, 'x.sarif'), 'utf8')), { version: '2.1.0' })
  t.match(await runAction(wrong, { package: join(wrong.temporary, 'nothing.tgz') }), { code: /^[^0]/ })
})

test('the template passes what can be merged, and leaves its report otherwise', async (t) => {
  const job = gitlab['fleetwright-check']
  const script = [...job.before_script, ...job.script].join('\n')
  for (const [request, code] of [
    [REQUEST, 0],
    [CLASH, 1],
  ] as const) {
    const { checkout, temporary, tarball } = await runner(t, request)
    await must('git', ['update-ref', '-d', 'refs/remotes/origin/main'], checkout)
    await mkdir(temporary, { recursive: true })
    const ran = await bash(script, checkout, {
      CI_BUILDS_DIR: temporary,
      CI_JOB_ID: '7',
      CI_MERGE_REQUEST_TARGET_BRANCH_NAME: 'main',
      FLEETWRIGHT_PACKAGE: tarball,
    })
    t.equal(ran.code, code, ran.stderr)
    const report = JSON.parse(await readFile(join(checkout, job.artifacts.reports.codequality), 'utf8'))
    t.equal(report.length, code)
  }
})
