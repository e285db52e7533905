import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { t, test } from 'tap'
import { startTestServer, type TestServer, TOKEN } from '../support/server.ts'

const SAMPLES = join(import.meta.dirname, '../../../shared/samples')

/** Single exchanges that are answered otherwise on purpose, or by a later area; everything else of the transcript counts. */
const EXCEPTIONS: readonly { readonly transcript: string; readonly step: string; readonly why: string }[] = [
  {
    transcript: 'routing',
    step: 'health is not there',
    why: 'GET /healthz is a route of this server',
  },
]

/** Transcripts of areas that are not there yet: the server answers 501, or has no data to answer with. */
const LATER: Readonly<Record<string, readonly string[]>> = {
  'backups, restorations and migrations of databases': [
    'backup-request',
    'cli-backup-operations',
    'db-migration',
    'db-restoration',
    'defect-backup-api-locked',
    'defect-lists-null',
    'defect-migration-content-type',
    'defect-migration-no-current-database',
  ],
  'migration of installations between clusters': [
    'cli-cluster-installation',
    'cluster-installation-migrate-hibernated',
    'defect-ci-delete-inactive-active',
    'defect-ci-delete-inactive-unknown',
    'defect-dns-switch-locked',
    'defect-switch-roles-errors',
  ],
  'commands in pods': ['cluster-installation-exec-errors', 'defect-ci-exec-unreachable'],
}

const FOLDERS = [
  { folder: 'wire', options: [] },
  { folder: 'wire-defects', options: ['--better'] },
] as const

t.setTimeout(180_000)

interface Transcript {
  readonly scenario: string
  readonly steps: readonly { readonly name?: string }[]
}

/** Names of the transcripts of a folder that must replay, and copies without the exceptions in `target`. */
async function prepare(folder: string, target: string): Promise<ReadonlyMap<string, string>> {
  const later = new Set(Object.values(LATER).flat())
  const files = new Map<string, string>()
  for (const file of (await readdir(join(SAMPLES, folder))).sort()) {
    const name = file.replace(/\.json$/, '')
    if (later.has(name)) continue
    const transcript: Transcript = JSON.parse(await readFile(join(SAMPLES, folder, file), 'utf8'))
    const skipped = EXCEPTIONS.filter((exception) => exception.transcript === name).map(({ step }) => step)
    const steps = transcript.steps.filter((step) => step.name === undefined || !skipped.includes(step.name))
    if (transcript.steps.length - steps.length !== skipped.length)
      throw new Error(`an exception of ${name} does not name exactly one exchange`)
    await writeFile(join(target, file), JSON.stringify({ ...transcript, steps }))
    files.set(transcript.scenario, join(target, file))
  }
  return files
}

async function replay(server: TestServer, args: readonly string[]): Promise<string> {
  const common = ['--server', server.url, '--setup-url', server.setupUrl, '--verbose']
  const header = ['--header', `authorization=Bearer ${TOKEN}`]
  const child = spawn(process.execPath, [join(SAMPLES, 'replay.mjs'), ...common, ...header, ...args])
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return Buffer.concat(chunks).toString('utf8')
}

test('recorded requests are answered as the original answered them, or better', {
  skip: existsSync(SAMPLES) ? false : '../shared/samples is not here',
}, async (t) => {
  const server = await startTestServer()
  const target = await mkdtemp(join(tmpdir(), 'fleetwright-transcripts-'))
  t.teardown(async () => {
    await server.close()
    await rm(target, { recursive: true, force: true })
  })
  for (const { folder, options } of FOLDERS) {
    const files = await prepare(folder, target)
    const output = await replay(server, [...options, ...files.values()])
    const lines = output.split('\n')
    for (const scenario of files.keys()) {
      const failures = lines.filter((line) => line.startsWith(`FAIL ${scenario} `))
      t.same(failures, [], `${folder}/${scenario}`)
      t.ok(lines.includes(`ok ${scenario}`), `${folder}/${scenario} was played`)
    }
  }
})

test('what is left for later is in the samples, and does not replay by chance', {
  skip: existsSync(SAMPLES) ? false : '../shared/samples is not here',
}, async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const later = Object.values(LATER).flat()
  for (const { folder, options } of FOLDERS) {
    const files = (await readdir(join(SAMPLES, folder))).map((file) => file.replace(/\.json$/, ''))
    const here = later.filter((name) => files.includes(name))
    const paths = here.map((name) => join(SAMPLES, folder, `${name}.json`))
    const output = await replay(server, [...options, ...paths])
    t.match(output, new RegExp(`^0 passed, ${here.length} failed, 0 skipped$`, 'm'), folder)
  }
  t.equal(new Set(later).size, later.length, 'each is named once')
})
