import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { startTestServer, TOKEN } from '../support/server.ts'

const SAMPLES = join(import.meta.dirname, '../../../shared/samples')

/** Transcripts of the original server that are answered as recorded, or better. Later areas are not in the list yet. */
const TRANSCRIPTS = [
  'wire/cli-installation-create',
  'wire/cli-installation-read',
  'wire/cli-installation-update',
  'wire/cluster-annotations',
  'wire/cluster-create-eks',
  'wire/cluster-create-empty-body',
  'wire/cluster-create-invalid-json',
  'wire/cluster-create-kops-defaults',
  'wire/group-annotations',
  'wire/group-create-invalid',
  'wire/group-create',
  'wire/group-status',
  'wire/group-update',
  'wire/installation-create-annotations',
  'wire/installation-create-database-kinds',
  'wire/installation-create-dns-edge',
  'wire/installation-create-external-database',
  'wire/installation-create-full',
  'wire/installation-create-invalid-dns',
  'wire/installation-create-invalid-json',
  'wire/installation-create-legacy-dns-field',
  'wire/installation-create-minimal',
  'wire/installation-create-scheduled-deletion',
  'wire/installation-create-sizes',
  'wire/installation-get-errors',
  'wire/installation-group-join-leave',
  'wire/installation-list-filters',
  'wire/installation-patch-env',
  'wire/installation-patch-ip-ranges',
  'wire/installation-patch-no-change',
  'wire/installation-patch',
  'wire/installation-retry-creation',
  'wire-defects/defect-dns-patterns',
  'wire-defects/defect-group-deleted-writable',
  'wire-defects/defect-group-duplicate-name',
  'wire-defects/defect-group-force-restart-null-env',
  'wire-defects/defect-installation-deletion-locked-dropped',
  'wire-defects/defect-ip-ranges-order',
  'wire-defects/defect-json-trailing-garbage',
  'wire-defects/defect-leave-group-bad-boolean',
  'wire-defects/defect-paging-negative',
  'wire-defects/defect-patch-empty-owner',
  'wire-defects/defect-patch-unknown-size',
  'wire-defects/version-difference-dns-like',
  'wire-defects/version-difference-update-in-progress',
] as const

async function replay(args: readonly string[]): Promise<string> {
  const child = spawn(process.execPath, [join(SAMPLES, 'replay.mjs'), ...args])
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  await new Promise((resolve) => child.once('close', resolve))
  return Buffer.concat(chunks).toString('utf8')
}

test('recorded requests are answered as the original answered them', {
  skip: existsSync(SAMPLES) ? false : '../shared/samples is not here',
}, async (t) => {
  const server = await startTestServer()
  t.teardown(() => server.close())
  const common = [
    '--server',
    server.url,
    '--setup-url',
    server.setupUrl,
    '--header',
    `authorization=Bearer ${TOKEN}`,
  ]
  for (const name of TRANSCRIPTS) {
    const better = name.startsWith('wire-defects') ? ['--better'] : []
    const output = await replay([...common, ...better, join(SAMPLES, `${name}.json`)])
    t.match(output, /^1 passed, 0 failed, 0 skipped$/m, name)
  }
})
