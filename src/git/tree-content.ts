/**
 * Trees as git has them: `<mode> <name>NUL<20 bytes>`, one entry after another, in order of their names, where folders count
 * as if they ended in a slash. Loops over bytes: they run for each folder of each commit, and a call a piece costs more.
 */
import type { ObjectId } from '../fleet/ids.ts'
import type { TreeEntry } from './contracts.ts'

const SPACE = 0x20
const SLASH = 0x2f
/** First digit of a folder's mode, 40000; those of files and links begin with 1. */
const FOLDER = 0x34
const ID_BYTES = 20

export interface FoundEntry {
  readonly mode: string
  readonly oid: ObjectId
}

/** The entry of a name. */
export function findEntry(content: Buffer, name: string): FoundEntry | undefined {
  const wanted = Buffer.from(name)
  for (let at = 0; at < content.length; ) {
    const from = nameStart(content, at)
    const end = nameEnd(content, from)
    if (hasName(content, from, end, wanted)) {
      return {
        mode: content.toString('latin1', at, from - 1),
        // The bytes of an id.
        oid: content.toString('hex', end + 1, end + 1 + ID_BYTES) as ObjectId,
      }
    }
    at = end + 1 + ID_BYTES
  }
  return undefined
}

/** The tree with an entry put in place of the one of that name, or without it. */
export function replaceEntry(content: Buffer, name: string, entry: FoundEntry | undefined): Buffer {
  const wanted = Buffer.from(name)
  const isFolder = entry?.mode === '40000'
  let present: { readonly start: number; readonly end: number } | undefined
  let before = entry === undefined ? 0 : -1
  for (let at = 0; at < content.length; ) {
    const from = nameStart(content, at)
    const end = nameEnd(content, from)
    const next = end + 1 + ID_BYTES
    if (hasName(content, from, end, wanted)) present = { start: at, end: next }
    else if (before < 0 && isAfter(content, from, end, content[at] === FOLDER, wanted, isFolder)) before = at
    at = next
  }
  const line = entry === undefined ? undefined : lineOf(name, entry)
  return spliced(content, present, before < 0 ? content.length : before, line)
}

export function encodeTree(entries: readonly TreeEntry[]): Buffer {
  return Buffer.concat(
    entries.map(({ mode, name, oid }) => lineOf(name, { mode: mode.replace(/^0/, ''), oid })),
  )
}

function lineOf(name: string, { mode, oid }: FoundEntry): Buffer {
  return Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, 'hex')])
}

/** Takes one piece out and puts another one in, at a place that is not inside the first. */
function spliced(
  content: Buffer,
  cut: { readonly start: number; readonly end: number } | undefined,
  at: number,
  line: Buffer | undefined,
): Buffer {
  const pieces: Buffer[] = []
  const keep = (from: number, to: number): void => {
    if (cut === undefined || to <= cut.start || from >= cut.end) pieces.push(content.subarray(from, to))
    else pieces.push(content.subarray(from, cut.start), content.subarray(cut.end, to))
  }
  keep(0, at)
  if (line !== undefined) pieces.push(line)
  keep(at, content.length)
  return Buffer.concat(pieces)
}

function nameStart(content: Buffer, at: number): number {
  let space = at + 5
  while (content[space] !== SPACE && space < content.length) space += 1
  return space + 1
}

function nameEnd(content: Buffer, from: number): number {
  let end = from
  while (content[end] !== 0 && end < content.length) end += 1
  return end
}

function hasName(content: Buffer, from: number, end: number, wanted: Buffer): boolean {
  if (end - from !== wanted.length) return false
  for (let i = 0; i < wanted.length; i += 1) if (content[from + i] !== wanted[i]) return false
  return true
}

/** Whether an entry belongs behind one of the wanted name. */
function isAfter(
  content: Buffer,
  from: number,
  end: number,
  folder: boolean,
  wanted: Buffer,
  wantedFolder: boolean,
): boolean {
  const length = Math.min(end - from, wanted.length)
  for (let i = 0; i < length; i += 1) {
    const difference = (content[from + i] ?? 0) - (wanted[i] ?? 0)
    if (difference !== 0) return difference > 0
  }
  const own = from + length < end ? content[from + length] : folder ? SLASH : 0
  const other = length < wanted.length ? wanted[length] : wantedFolder ? SLASH : 0
  return (own ?? 0) > (other ?? 0)
}
