/** Reads objects through one long-lived `git cat-file --batch`. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { FleetError } from '../fleet/errors.ts'
import type { ObjectId } from '../fleet/ids.ts'
import { git, startGit } from './child-process.ts'
import type { ObjectReader } from './contracts.ts'
import { decodeTree, parseCommit } from './objects.ts'

interface Waiting {
  readonly oid: ObjectId
  readonly mostBytes: number
  /** Undefined: it is larger than that. */
  readonly resolve: (content: Buffer | undefined) => void
  readonly reject: (error: unknown) => void
}

/** Requests under way in bulk reads; more only fills pipes. */
const BATCH = 2_000

export function createObjectReader(directory: string): ObjectReader & { close(): Promise<void> } {
  const session = new BatchSession(directory)
  return {
    blob: (oid) => session.read(oid),
    tree: async (oid) => decodeTree(await session.read(oid)),
    commit: async (oid) => parseCommit(oid, await session.read(oid)),
    async blobs(oids, mostBytes, visit) {
      for (let at = 0; at < oids.length; at += BATCH) {
        const part = oids.slice(at, at + BATCH)
        await Promise.all(part.map(async (oid) => visit(oid, await session.readUpTo(oid, mostBytes))))
      }
    },
    async files(tree) {
      const output = await git(['ls-tree', '-r', '-z', '--full-tree', tree], { directory })
      return records(output).map((record) => {
        const [head = '', path = ''] = split(record, '\t')
        const [mode = '', , oid = ''] = head.split(' ')
        return { path, mode, oid: oid as ObjectId }
      })
    },
    async changedFiles(from, to) {
      const output = await git(['diff-tree', '-r', '-z', '--no-renames', '--no-commit-id', from, to], {
        directory,
      })
      const fields = records(output)
      const changed = []
      for (let at = 0; at + 1 < fields.length; at += 2) {
        const [, newMode = '', oldOid = '', newOid = ''] = (fields[at] ?? '').split(' ')
        changed.push({
          path: fields[at + 1] ?? '',
          from: present(oldOid),
          to: present(newOid),
          mode: present(newOid) === undefined ? undefined : newMode,
        })
      }
      return changed
    },
    close: () => session.close(),
  }
}

function records(output: Buffer): string[] {
  return output
    .toString('utf8')
    .split('\0')
    .filter((record) => record !== '')
}

function split(text: string, separator: string): readonly [string, string] {
  const at = text.indexOf(separator)
  return [text.slice(0, at), text.slice(at + 1)]
}

function present(oid: string): ObjectId | undefined {
  return /^0+$/.test(oid) ? undefined : (oid as ObjectId)
}

class BatchSession {
  readonly #directory: string
  #child: ChildProcessWithoutNullStreams | undefined
  #waiting: Waiting[] = []
  #chunks: Buffer[] = []
  #length = 0
  #wanted = 0
  /** Bytes of an object that is too large, still to come. */
  #skipped = 0

  constructor(directory: string) {
    this.#directory = directory
  }

  async read(oid: ObjectId): Promise<Buffer> {
    const content = await this.readUpTo(oid, Number.POSITIVE_INFINITY)
    if (content === undefined) throw new RangeError('an object was left out that has no limit')
    return content
  }

  async readUpTo(oid: ObjectId, mostBytes: number): Promise<Buffer | undefined> {
    const child = this.#child ?? this.#start()
    return await new Promise<Buffer | undefined>((resolve, reject) => {
      this.#waiting.push({ oid, mostBytes, resolve, reject })
      child.stdin.write(`${oid}\n`)
    })
  }

  async close(): Promise<void> {
    const child = this.#child
    if (child === undefined) return
    const ended = new Promise((resolve) => child.once('close', resolve))
    child.stdin.end()
    await ended
  }

  #start(): ChildProcessWithoutNullStreams {
    const child = startGit(['cat-file', '--batch'], { directory: this.#directory })
    this.#child = child
    this.#chunks = []
    this.#length = 0
    this.#wanted = 0
    this.#skipped = 0
    child.stdout.on('data', (chunk: Buffer) => this.#take(chunk))
    child.stderr.resume()
    // Those who wait are told when the process ends.
    child.stdin.on('error', () => undefined)
    child.once('error', () => this.#end(child))
    child.once('close', () => this.#end(child))
    return child
  }

  #end(child: ChildProcessWithoutNullStreams): void {
    if (this.#child !== child) return
    this.#child = undefined
    for (const { reject, oid } of this.#waiting.splice(0))
      reject(new FleetError('repository-damaged', `git cat-file ended while object ${oid} was read.`))
  }

  #take(received: Buffer): void {
    const skipped = Math.min(this.#skipped, received.length)
    this.#skipped -= skipped
    const chunk = received.subarray(skipped)
    this.#chunks.push(chunk)
    this.#length += chunk.length
    if (this.#length < this.#wanted) return
    let buffer: Buffer = Buffer.concat(this.#chunks)
    for (let rest = this.#answer(buffer); rest !== undefined; rest = this.#answer(buffer)) buffer = rest
    this.#chunks = [buffer]
    this.#length = buffer.length
  }

  /** What is left after one answer; undefined while it is not whole. */
  #answer(buffer: Buffer): Buffer | undefined {
    const end = buffer.indexOf(0x0a)
    if (end < 0) return undefined
    const [, type, size] = buffer.toString('latin1', 0, end).split(' ')
    if (type === 'missing' || size === undefined) {
      const waiting = this.#waiting.shift()
      waiting?.reject(
        new FleetError('repository-damaged', `Object ${waiting.oid} is missing in the fleet repository.`),
      )
      return buffer.subarray(end + 1)
    }
    const length = Number(size)
    if (length > (this.#waiting[0]?.mostBytes ?? 0)) {
      this.#waiting.shift()?.resolve(undefined)
      const rest = buffer.subarray(end + 1)
      this.#skipped = Math.max(0, length + 1 - rest.length)
      return rest.subarray(Math.min(rest.length, length + 1))
    }
    this.#wanted = end + 1 + length + 1
    if (buffer.length < this.#wanted) return undefined
    this.#wanted = 0
    this.#waiting.shift()?.resolve(Buffer.from(buffer.subarray(end + 1, end + 1 + length)))
    return buffer.subarray(end + length + 2)
  }
}
