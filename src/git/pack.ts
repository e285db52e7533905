/** Packs and their indexes, built in process (git's pack format, version 2). */
import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import type { ObjectId } from '../fleet/ids.ts'
import type { NewObject } from './contracts.ts'

const TYPES = { commit: 1, tree: 2, blob: 3 } as const
const OFFSET_DELTA = 6
const REFERENCE_DELTA = 7
/** Longer chains make reading slow. */
const LONGEST_CHAIN = 40

export interface Pack {
  readonly name: string
  readonly pack: Buffer
  readonly index: Buffer
}

interface Entry {
  readonly oid: ObjectId
  readonly offset: number
  readonly crc: number
  readonly depth: number
}

/**
 * @param thin whether deltas may lean on objects outside of the pack: fine on the wire, not on a disk
 */
export function buildPack(objects: readonly NewObject[], thin: boolean): Pack {
  const unique = [...new Map(objects.map((object) => [object.oid, object])).values()]
  const header = Buffer.alloc(12)
  header.write('PACK', 0, 'latin1')
  header.writeUInt32BE(2, 4)
  header.writeUInt32BE(unique.length, 8)
  const parts: Buffer[] = [header]
  const entries = new Map<ObjectId, Entry>()
  let offset = header.length
  for (const object of unique) {
    const { bytes, depth } = entryOf(object, offset, entries, thin)
    parts.push(bytes)
    entries.set(object.oid, { oid: object.oid, offset, crc: crc32(bytes), depth })
    offset += bytes.length
  }
  const body = Buffer.concat(parts)
  const checksum = createHash('sha1').update(body).digest()
  const pack = Buffer.concat([body, checksum])
  return { name: checksum.toString('hex'), pack, index: buildIndex([...entries.values()], checksum) }
}

function entryOf(
  object: NewObject,
  offset: number,
  entries: ReadonlyMap<ObjectId, Entry>,
  thin: boolean,
): { readonly bytes: Buffer; readonly depth: number } {
  const { base, type, content } = object
  const near = base === undefined ? undefined : entries.get(base.oid)
  if (base !== undefined && near !== undefined && near.depth < LONGEST_CHAIN) {
    const head = header(OFFSET_DELTA, base.instructions.length)
    return {
      bytes: Buffer.concat([head, distance(offset - near.offset), compress(base.instructions)]),
      depth: near.depth + 1,
    }
  }
  if (base !== undefined && near === undefined && thin) {
    const head = header(REFERENCE_DELTA, base.instructions.length)
    return {
      bytes: Buffer.concat([head, Buffer.from(base.oid, 'hex'), compress(base.instructions)]),
      depth: 1,
    }
  }
  return { bytes: Buffer.concat([header(TYPES[type], content.length), compress(content)]), depth: 0 }
}

/** Below this a deflate call costs more than the bytes it saves: a delta of a tree has some fifty. */
const STORED_LIMIT = 128
/** Manifests are some ten kilobytes: a larger window finds nothing more, and its memory has to be cleared for each object. */
const DEFLATE = { level: 1, windowBits: 13, memLevel: 6, chunkSize: 4096 } as const

function compress(content: Uint8Array): Buffer {
  return content.length <= STORED_LIMIT ? stored(content) : deflateSync(content, DEFLATE)
}

/** A zlib stream of one stored block. */
function stored(content: Uint8Array): Buffer {
  const { length } = content
  const bytes = Buffer.allocUnsafe(length + 11)
  bytes.writeUInt16BE(0x7801, 0)
  bytes[2] = 1
  bytes.writeUInt16LE(length, 3)
  bytes.writeUInt16LE(~length & 0xffff, 5)
  bytes.set(content, 7)
  bytes.writeUInt32BE(adler32(content), length + 7)
  return bytes
}

function adler32(content: Uint8Array): number {
  let low = 1
  let high = 0
  for (const byte of content) {
    low = (low + byte) % 65_521
    high = (high + low) % 65_521
  }
  return high * 65_536 + low
}

function header(type: number, size: number): Buffer {
  const bytes: number[] = []
  let rest = Math.floor(size / 16)
  bytes.push((type << 4) | (size & 15) | (rest > 0 ? 0x80 : 0))
  while (rest > 0) {
    const low = rest & 0x7f
    rest >>>= 7
    bytes.push(low | (rest > 0 ? 0x80 : 0))
  }
  return Buffer.from(bytes)
}

function distance(value: number): Buffer {
  const bytes = [value & 0x7f]
  let rest = value >>> 7
  while (rest > 0) {
    rest -= 1
    bytes.unshift(0x80 | (rest & 0x7f))
    rest >>>= 7
  }
  return Buffer.from(bytes)
}

/** Index version 2. Windows are far below 2 GiB, so offsets fit in 31 bits. */
function buildIndex(entries: readonly Entry[], packChecksum: Buffer): Buffer {
  const sorted = [...entries].sort((a, b) => (a.oid < b.oid ? -1 : 1))
  const count = sorted.length
  const body = Buffer.alloc(8 + 1024 + count * 28 + 20)
  body.writeUInt32BE(0xff744f63, 0)
  body.writeUInt32BE(2, 4)
  const fan = new Uint32Array(256)
  for (const { oid } of sorted) {
    const first = Number.parseInt(oid.slice(0, 2), 16)
    fan[first] = (fan[first] ?? 0) + 1
  }
  let sum = 0
  for (let i = 0; i < 256; i += 1) {
    sum += fan[i] ?? 0
    body.writeUInt32BE(sum, 8 + i * 4)
  }
  const names = 8 + 1024
  const sums = names + count * 20
  const offsets = sums + count * 4
  for (const [i, { oid, crc, offset }] of sorted.entries()) {
    body.write(oid, names + i * 20, 'hex')
    body.writeUInt32BE(crc, sums + i * 4)
    body.writeUInt32BE(offset, offsets + i * 4)
  }
  packChecksum.copy(body, offsets + count * 4)
  return Buffer.concat([body, createHash('sha1').update(body).digest()])
}
