/** Ref transactions through one long-lived `git update-ref --stdin`: all refs or none, each with its old value. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { dirname, join } from 'node:path'
import { FleetError } from '../fleet/errors.ts'
import type { ObjectId, RefName } from '../fleet/ids.ts'
import { git, startGit } from './child-process.ts'
import type { PushOutcome, RefUpdate } from './contracts.ts'
import { syncFiles } from './sync-files.ts'

const NOTHING = '0'.repeat(40)

/** Undefined as `next`: the ref goes. */
export type RefChange = Omit<RefUpdate, 'next'> & { readonly next: ObjectId | undefined }

export interface RefTransactions {
  /** @throws FleetError `remote-refused` for anything but a lost race */
  update(changes: readonly RefChange[]): Promise<PushOutcome>
  close(): Promise<void>
}

export interface RefTransactionOptions {
  /** Refs are on the disk when an update is accepted. A clone that can be made again does not need it. */
  readonly durable: boolean
}

export function createRefTransactions(
  directory: string,
  { durable }: RefTransactionOptions,
): RefTransactions {
  let child: ChildProcessWithoutNullStreams | undefined
  function session(): ChildProcessWithoutNullStreams {
    if (child !== undefined) return child
    // Git would wait for the disk once a ref; below it is once a transaction.
    const started = startGit(['-c', 'core.fsync=committed', 'update-ref', '--stdin'], { directory })
    // The end of the process tells why writing to it failed.
    started.stdin.on('error', () => undefined)
    started.once('close', () => {
      if (child === started) child = undefined
    })
    child = started
    return started
  }
  return {
    async update(changes) {
      const lines = changes.map(({ ref, expected, next }) =>
        next === undefined
          ? `delete ${ref} ${expected ?? NOTHING}`
          : `update ${ref} ${next} ${expected ?? NOTHING}`,
      )
      const words = durable
        ? await updateDurably(session(), directory, changes, lines)
        : await converse(session(), `start\n${lines.join('\n')}\nprepare\ncommit\n`, 'commit')
      if (words === undefined) return { outcome: 'accepted' }
      child = undefined
      if (
        /but expected|reference already exists|unable to resolve reference|reference is missing/.test(words)
      )
        return { outcome: 'stale', detail: words }
      throw new FleetError('remote-refused', `The repository refused the update: ${words}`)
    },
    async close() {
      const last = child
      if (last === undefined) return
      const ended = new Promise((resolve) => last.once('close', resolve))
      last.stdin.end()
      await ended
    },
  }
}

/**
 * All branches with their tips.
 * @param below where they stand, for example `refs/heads`; names come out below `refs/heads` all the same
 */
export async function readTips(
  directory: string,
  below = 'refs/heads',
): Promise<ReadonlyMap<RefName, ObjectId>> {
  const output = await git(['for-each-ref', '--format=%(refname) %(objectname)', below], { directory })
  const lines = output
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const [ref = '', oid = ''] = line.split(' ')
      // Git's own output.
      return [`refs/heads${ref.slice(below.length)}` as RefName, oid as ObjectId]
    }),
  )
}

/**
 * New values are on the disk before they get the names of the refs, and the names before the update counts.
 * @returns undefined when committed, otherwise what git said before it ended
 */
async function updateDurably(
  child: ChildProcessWithoutNullStreams,
  directory: string,
  changes: readonly RefChange[],
  lines: readonly string[],
): Promise<string | undefined> {
  const refused = await converse(child, `start\n${lines.join('\n')}\nprepare\n`, 'prepare')
  if (refused !== undefined) return refused
  const written = changes.filter(({ next }) => next !== undefined).map(({ ref }) => join(directory, ref))
  try {
    await syncFiles(written.map((path) => `${path}.lock`))
  } catch (error) {
    await converse(child, 'abort\n', 'abort')
    throw error
  }
  const failed = await converse(child, 'commit\n', 'commit')
  if (failed !== undefined) return failed
  await syncFiles(written.map((path) => dirname(path)))
  return undefined
}

/** Undefined when the last command was carried out, otherwise what git said before it ended. */
async function converse(
  child: ChildProcessWithoutNullStreams,
  commands: string,
  last: 'prepare' | 'commit' | 'abort',
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let said = ''
    let words = ''
    const hear = (chunk: Buffer): void => {
      said += chunk.toString('latin1')
      if (said.includes(`${last}: ok\n`)) finish(undefined)
    }
    const complain = (chunk: Buffer): void => {
      words += chunk.toString('utf8')
    }
    const end = (): void => finish(words.trim() || 'git update-ref ended')
    function finish(result: string | undefined): void {
      child.stdout.off('data', hear)
      child.stderr.off('data', complain)
      child.off('close', end)
      child.off('error', end)
      resolve(result)
    }
    child.stdout.on('data', hear)
    child.stderr.on('data', complain)
    child.once('close', end)
    child.once('error', end)
    child.stdin.write(commands)
  })
}
