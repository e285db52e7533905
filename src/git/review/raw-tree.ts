/** Trees that somebody else made, byte by byte: git's own commands would correct or hide what is wrong in them. */
import { isUtf8 } from 'node:buffer'
import type { ObjectId } from '../../fleet/ids.ts'
import type { TreeEntry } from '../contracts.ts'

const ID_BYTES = 20
const FOLDER = '40000'

export interface RawTree {
  readonly entries: readonly TreeEntry[]
  /** What is wrong with the tree itself. */
  readonly malformed: string | undefined
}

/** Entries up to the first that cannot be read. */
export function decodeRawTree(content: Uint8Array): RawTree {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length)
  const entries: TreeEntry[] = []
  let before: Buffer | undefined
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at)
    const end = buffer.indexOf(0, at)
    const mode = buffer.toString('latin1', at, Math.max(space, at))
    if (space < 0 || end < space || end + 1 + ID_BYTES > buffer.length || !/^[0-7]{5,6}$/.test(mode))
      return { entries, malformed: 'a folder of it is no tree that git would write' }
    const bytes = buffer.subarray(space + 1, end)
    const key = mode === FOLDER ? Buffer.concat([bytes, Buffer.from('/')]) : bytes
    if (before !== undefined && Buffer.compare(before, key) >= 0)
      return { entries, malformed: 'a folder of it has entries twice or out of order' }
    before = key
    if (!isUtf8(bytes)) return { entries, malformed: 'a name in it is not valid UTF-8' }
    const name = bytes.toString('utf8')
    const oid = buffer.toString('hex', end + 1, end + 1 + ID_BYTES) as ObjectId
    entries.push({ mode: mode.padStart(6, '0'), name, oid })
    at = end + 1 + ID_BYTES
  }
  const names = new Set(entries.map(({ name }) => name))
  const malformed =
    names.size < entries.length ? 'a folder of it has a file and a folder of one name' : undefined
  return { entries, malformed }
}
