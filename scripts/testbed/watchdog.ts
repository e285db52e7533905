/**
 * Outlives whoever started it just long enough to end what that left: its standard input closes when the starter is gone, however it went.
 * Lines of input: `folder <path>`, `started <process id> <start time>`, `ended <process id>`.
 */
import { rmSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { endGroup, isSameProcess } from './process-groups.ts'

const STEP_MILLISECONDS = 100

/** Milliseconds from SIGTERM to SIGKILL. */
const grace = Number(process.argv[2])
const started = new Map<number, string>()
const folders: string[] = []

for await (const line of createInterface({ input: process.stdin })) {
  const [what, first = '', second = ''] = line.split(' ')
  if (what === 'folder') folders.push(line.slice('folder '.length))
  if (what === 'started') started.set(Number(first), second)
  if (what === 'ended') started.delete(Number(first))
}
const left = (): readonly number[] =>
  [...started].filter(([id, time]) => isSameProcess(id, time)).map(([id]) => id)
for (const id of left()) endGroup(id, 'SIGTERM')
const deadline = performance.now() + grace
while (left().length > 0 && performance.now() < deadline) await wait(STEP_MILLISECONDS)
for (const id of left()) endGroup(id, 'SIGKILL')
for (const folder of folders) rmSync(folder, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 })
