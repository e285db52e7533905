/** Tells a review that Fleetwright made from a branch that only looks like one: anybody may call a committer Fleetwright. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import type { ObjectId } from '../../fleet/ids.ts'

export interface Sealed {
  readonly id: string
  readonly base: ObjectId
  readonly tree: ObjectId
}

/** HMAC-SHA-256, hex, of what is asked for and on what. */
export function reviewSeal(key: Uint8Array, { id, base, tree }: Sealed): string {
  return createHmac('sha256', key).update(`fleetwright review ${id} ${base} ${tree}`).digest('hex')
}

export function isSealOf(key: Uint8Array | undefined, sealed: Sealed, seal: string | undefined): boolean {
  if (key === undefined || seal === undefined) return false
  const [wanted, found] = [Buffer.from(reviewSeal(key, sealed)), Buffer.from(seal)]
  return wanted.length === found.length && timingSafeEqual(wanted, found)
}
