import { spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { composeServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import type { Id } from '../../src/fleet/ids.ts'
import { secretKeysIn } from '../../src/fleet/secret-references.ts'
import { startSecretSweep } from '../../src/reconcile/secret-sweep.ts'

const KILLS = 4
const WORKER = join(import.meta.dirname, '../support/secret-process.ts')

/** Lets a server work and kills it some milliseconds after it printed what matches `from`; what it printed since it was ready. */
async function killed(args: readonly string[], from: RegExp, after: number): Promise<readonly string[]> {
  const child = spawn(process.execPath, [WORKER, ...args], { stdio: ['ignore', 'pipe', 'inherit'] })
  let text = ''
  let dying = false
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
    if (dying || !from.test(text)) return
    dying = true
    setTimeout(() => child.kill('SIGKILL'), after)
  })
  const signal = await new Promise((resolve) => child.once('close', (_code, name) => resolve(name)))
  if (signal !== 'SIGKILL') throw new Error(`the server ended by itself (${String(signal)})`)
  return text.split('\n').slice(1, -1)
}

test(`${KILLS} kills leave no value that nothing refers to, and no reference without a value`, {
  timeout: 120_000,
}, async (t) => {
  const data = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(data, { recursive: true, force: true }))
  const acknowledged: string[] = []
  for (let kill = 0; kill < KILLS; kill += 1)
    acknowledged.push(...(await killed([data, `run-${kill}`], /ready\n[a-z0-9]{26}\n/, Math.random() * 200)))
  const stranded = await killed([data, 'stranded', 'stop-after-put'], /ready\ninstallations\//, 100)
  t.ok(stranded.length > 0, 'at least one value was stored and never committed')
  const flags = { data, loops: 'none', 'log-level': 'silent' }
  const { parts, close } = await composeServer(readConfiguration({ flags, environment: {} }), '0.0.0')
  t.teardown(close)
  const { writer, history, secrets, secretHolds: holds, clock } = parts
  const orphansBefore = (await secrets.list('')).map(({ key }) => key)
  t.ok(stranded.every((key) => orphansBefore.includes(key)))
  const errors: unknown[] = []
  const sweep = startSecretSweep({
    ...{ writer, history, secrets, holds, clock },
    graceMilliseconds: 86_400_000,
    orphanAgeMilliseconds: 0,
    onSwept: () => undefined,
    onError: (error) => errors.push(error),
  })
  await sweep.close()
  const { missing, replaced } = await sweep.sweep()
  t.same(errors, [])
  t.same([missing, replaced], [[], []])
  const referred = writer.fleet.installations().flatMap((found) => [...secretKeysIn(found)])
  const stored = (await secrets.list('')).map(({ key }) => key)
  t.same([...stored].sort(), [...referred].sort(), 'what is stored is what is referred to')
  t.notOk(stranded.some((key) => stored.includes(key)))
  t.ok(acknowledged.length >= KILLS, `${acknowledged.length} acknowledged`)
  for (const id of acknowledged) {
    const key = writer.fleet.installation(id as Id)?.spec.licence?.key ?? 'none'
    if (!/^licence-of-run-/.test((await secrets.get(key)) ?? '')) t.fail(`${id} has no licence`)
  }
})
