import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { test } from 'tap'
import { isSameProcess } from '../../scripts/testbed/process-groups.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'

const STARTER = join(import.meta.dirname, '../support/supervisor-process.ts')

const gone = (id: number): boolean => !isSameProcess(id, '')

test('nothing is left of a runner that dies', async (t) => {
  for (const signal of ['SIGKILL', 'SIGINT', 'SIGTERM'] as const) {
    const runner = spawn(process.execPath, [STARTER], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = await once(createInterface({ input: runner.stdout }), 'line')
    const { folder, log, ids }: { folder: string; log: string; ids: number[] } = JSON.parse(line)
    const grandchild = await waitFor('the process that the shell started', async () => {
      const id = Number(await readFile(log, 'utf8'))
      return id > 0 ? id : undefined
    })
    t.same([...ids, grandchild].map(gone), [false, false, false], 'they run')
    runner.kill(signal)
    await waitFor(`the end of everything after ${signal}`, async () => [...ids, grandchild].every(gone))
    await waitFor('the end of the folder', async () => !existsSync(folder))
    t.pass(signal)
  }
})

test('close() ends every process and removes the folder', async (t) => {
  const supervisor = await createSupervisor()
  const sleeper = await supervisor.start({ name: 'sleeper', command: 'sleep', args: ['300'] })
  const store = await supervisor.start({ name: 'store', command: 'sleep', args: ['300'], endsLast: true })
  t.same(
    supervisor.running().map(({ name }) => name),
    ['sleeper', 'store'],
  )
  await supervisor.close()
  t.same([gone(sleeper.id), gone(store.id), existsSync(supervisor.folder)], [true, true, false])
})

test('a process that ends before it is ready is reported with the end of its log', async (t) => {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  await t.rejects(
    supervisor.start({
      name: 'early',
      command: '/bin/sh',
      args: ['-c', 'echo no such flag; exit 3'],
      ready: async () => false,
    }),
    { message: /early ended with 3 before it was ready:\nno such flag/ },
  )
  await t.rejects(
    supervisor.start({
      name: 'late',
      command: 'sleep',
      args: ['300'],
      ready: async () => false,
      readyWithin: 100,
    }),
    { message: /late is not ready after 0.1 s/ },
  )
  await t.rejects(supervisor.start({ name: 'absent', command: '/no/such/program', args: [] }), {
    message: /absent: \/no\/such\/program cannot be started/,
  })
})
