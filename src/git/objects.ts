/** Git objects in memory: ids, trees, commits. SHA-1 repositories only. */
import { createHash } from 'node:crypto'
import { FleetError } from '../fleet/errors.ts'
import type { ObjectId } from '../fleet/ids.ts'
import type { CommitInput, NewObject, ObjectType, TreeEntry } from './contracts.ts'

export const EMPTY_TREE = '4b825dc642cb6eb9a060e54bf8d69288fbee4904' as ObjectId

export function hashObject(type: ObjectType, content: Uint8Array): ObjectId {
  // The digest of SHA-1 is 40 hexadecimal digits by definition.
  return createHash('sha1').update(`${type} ${content.length}\0`).update(content).digest('hex') as ObjectId
}

export function newObject(type: ObjectType, content: Uint8Array): NewObject {
  return { oid: hashObject(type, content), type, content }
}

export function blobObject(text: string): NewObject {
  return newObject('blob', Buffer.from(text))
}

export function blobId(text: string): ObjectId {
  return hashObject('blob', Buffer.from(text))
}

export function emptyTreeObject(): NewObject {
  return { oid: EMPTY_TREE, type: 'tree', content: new Uint8Array() }
}

export function commitObject({ tree, parents, author, committer, message, sign }: CommitInput): NewObject {
  const lines = [
    `tree ${tree}`,
    ...parents.map((parent) => `parent ${parent}`),
    `author ${author}`,
    `committer ${committer}`,
  ]
  const text = (head: readonly string[]): Buffer => Buffer.from(`${head.join('\n')}\n\n${message}`)
  if (sign === undefined) return newObject('commit', text(lines))
  // Lines after the first one of a header start with a space.
  const signature = sign(text(lines)).trimEnd().replaceAll('\n', '\n ')
  return newObject('commit', text([...lines, `gpgsig ${signature}`]))
}

/** @throws FleetError `repository-damaged` */
export function parseCommit(
  oid: ObjectId,
  content: Uint8Array,
): { tree: ObjectId; parents: ObjectId[]; author: string; committer: string; message: string } {
  const text = Buffer.from(content).toString('utf8')
  const end = text.indexOf('\n\n')
  const head = (end < 0 ? text : text.slice(0, end)).split('\n')
  const values = (name: string): string[] =>
    head.filter((line) => line.startsWith(`${name} `)).map((line) => line.slice(name.length + 1))
  const tree = values('tree')[0]
  if (tree === undefined) throw new FleetError('repository-damaged', `Object ${oid} is not a commit.`)
  return {
    // Git wrote these ids itself.
    tree: tree as ObjectId,
    parents: values('parent') as ObjectId[],
    author: values('author')[0] ?? '',
    committer: values('committer')[0] ?? '',
    message: end < 0 ? '' : text.slice(end + 2),
  }
}

export function decodeTree(content: Uint8Array): TreeEntry[] {
  const buffer = Buffer.from(content.buffer, content.byteOffset, content.length)
  const entries: TreeEntry[] = []
  for (let at = 0; at < buffer.length; ) {
    const space = buffer.indexOf(0x20, at)
    const end = buffer.indexOf(0, space)
    entries.push({
      mode: buffer.toString('latin1', at, space).padStart(6, '0'),
      name: buffer.toString('utf8', space + 1, end),
      oid: buffer.toString('hex', end + 1, end + 21) as ObjectId,
    })
    at = end + 21
  }
  return entries
}
