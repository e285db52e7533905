/** Ref transactions through one long-lived `git update-ref --stdin`: all refs or none, each with its old value. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { FleetError } from '../fleet/errors.ts'
import type { ObjectId, RefName } from '../fleet/ids.ts'
import { git, startGit } from './child-process.ts'
import type { PushOutcome, RefUpdate } from './contracts.ts'

const NOTHING = '0'.repeat(40)

/** Undefined as `next`: the ref goes. */
export type RefChange = Omit<RefUpdate, 'next'> & { readonly next: ObjectId | undefined }

export interface RefTransactions {
  /** @throws FleetError `remote-refused` for anything but a lost race */
  update(changes: readonly RefChange[]): Promise<PushOutcome>
  close(): Promise<void>
}

export function createRefTransactions(directory: string): RefTransactions {
  let child: ChildProcessWithoutNullStreams | undefined
  function session(): ChildProcessWithoutNullStreams {
    if (child !== undefined) return child
    const started = startGit(['update-ref', '--stdin'], { directory })
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
      const words = await converse(session(), `start\n${lines.join('\n')}\nprepare\ncommit\n`)
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

/** Undefined when committed, otherwise what git said before it ended. */
async function converse(
  child: ChildProcessWithoutNullStreams,
  commands: string,
): Promise<string | undefined> {
  return await new Promise((resolve) => {
    let said = ''
    let words = ''
    const hear = (chunk: Buffer): void => {
      said += chunk.toString('latin1')
      if (said.includes('commit: ok\n')) finish(undefined)
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
