/** Objects that somebody else made, read within limits: what they are and how large is asked before they are unpacked. */
import type { ObjectId } from '../../fleet/ids.ts'
import type { ObjectReader, ObjectType } from '../contracts.ts'
import type { ObjectSizes } from './object-sizes.ts'

export type ReadOfOthers =
  | { readonly outcome: 'read'; readonly content: Uint8Array }
  | { readonly outcome: 'too-large'; readonly bytes: number }
  /** Of another type, or not there at all. */
  | { readonly outcome: 'not-there' }

export type ReadObject = (oid: ObjectId, type: ObjectType, mostBytes: number) => Promise<ReadOfOthers>

export function createReadObject(
  reader: Pick<ObjectReader, 'blobs'>,
  sizes: Pick<ObjectSizes, 'of'>,
): ReadObject {
  return async (oid, type, mostBytes) => {
    const size = await sizes.of(oid)
    if (size.type !== type) return { outcome: 'not-there' }
    if (size.bytes > mostBytes) return { outcome: 'too-large', bytes: size.bytes }
    let found: Uint8Array | undefined
    // Reads objects of every type.
    await reader.blobs([oid], mostBytes, (_, content) => {
      found = content
    })
    return found === undefined ? { outcome: 'not-there' } : { outcome: 'read', content: found }
  }
}
