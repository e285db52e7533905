/** Types and sizes of objects by one long-lived `git cat-file --batch-check`: no object is unpacked for it. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { createInterface } from 'node:readline'
import { FleetError } from '../../fleet/errors.ts'
import type { ObjectId } from '../../fleet/ids.ts'
import { startGit } from '../child-process.ts'

export interface ObjectSize {
  /** `missing`: there is none of this id. */
  readonly type: 'blob' | 'tree' | 'commit' | 'tag' | 'missing'
  readonly bytes: number
}

export interface ObjectSizes {
  /** @throws FleetError `repository-damaged` */
  of(oid: ObjectId): Promise<ObjectSize>
  close(): Promise<void>
}

interface Waiting {
  readonly resolve: (size: ObjectSize) => void
  readonly reject: (error: unknown) => void
}

export function createObjectSizes(directory: string): ObjectSizes {
  let child: ChildProcessWithoutNullStreams | undefined
  const waiting: Waiting[] = []
  function start(): ChildProcessWithoutNullStreams {
    const started = startGit(['cat-file', '--batch-check=%(objecttype) %(objectsize)'], { directory })
    const end = (): void => {
      if (child === started) child = undefined
      for (const { reject } of waiting.splice(0))
        reject(new FleetError('repository-damaged', 'git cat-file ended while sizes of objects were read.'))
    }
    createInterface({ input: started.stdout }).on('line', (line) => waiting.shift()?.resolve(sizeOf(line)))
    started.stderr.resume()
    // Those who wait are told when the process ends.
    started.stdin.on('error', () => undefined)
    started.once('error', end)
    started.once('close', end)
    return started
  }
  return {
    async of(oid) {
      child ??= start()
      const { stdin } = child
      return await new Promise<ObjectSize>((resolve, reject) => {
        waiting.push({ resolve, reject })
        stdin.write(`${oid}\n`)
      })
    },
    async close() {
      if (child === undefined) return
      const ended = new Promise((resolve) => child?.once('close', resolve))
      child.stdin.end()
      await ended
    },
  }
}

/** `<type> <bytes>`, or `<oid> missing`. */
function sizeOf(line: string): ObjectSize {
  const [type = '', bytes = ''] = line.split(' ')
  if (type === 'blob' || type === 'tree' || type === 'commit' || type === 'tag')
    return { type, bytes: Number(bytes) }
  return { type: 'missing', bytes: 0 }
}
