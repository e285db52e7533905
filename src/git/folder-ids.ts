/** Which tree a folder is in a commit; commits never change, so what was read once is kept for a while. */
import { isFleetError } from '../fleet/errors.ts'
import { isObjectId, type ObjectId } from '../fleet/ids.ts'
import type { FolderIds } from '../ports/folders.ts'
import type { ObjectReader } from './contracts.ts'

const MOST_KEPT = 20_000

export function createFolderIds(objects: ObjectReader): FolderIds {
  const kept = new Map<string, Promise<ObjectId | undefined>>()
  function remembered(key: string, read: () => Promise<ObjectId | undefined>): Promise<ObjectId | undefined> {
    const known = kept.get(key)
    if (known !== undefined) return known
    if (kept.size >= MOST_KEPT)
      for (const [oldest] of kept) {
        kept.delete(oldest)
        if (kept.size < MOST_KEPT * 0.9) break
      }
    const reading = read()
    kept.set(key, reading)
    // A failure is not kept: the object may arrive with the next fetch.
    reading.catch(() => kept.delete(key))
    return reading
  }
  async function child(tree: ObjectId, name: string): Promise<ObjectId | undefined> {
    return (await objects.tree(tree)).find((entry) => entry.name === name && entry.mode.endsWith('40000'))
      ?.oid
  }
  async function walk(commit: ObjectId, folder: string): Promise<ObjectId | undefined> {
    if (folder === '') return (await objects.commit(commit)).tree
    const at = folder.lastIndexOf('/')
    const parent = await remembered(`${commit}:${folder.slice(0, Math.max(at, 0))}`, () =>
      walk(commit, folder.slice(0, Math.max(at, 0))),
    )
    return parent === undefined ? undefined : await child(parent, folder.slice(at + 1))
  }
  return {
    async at(commit, folder) {
      if (!isObjectId(commit)) return undefined
      try {
        return await remembered(`${commit}:${folder}`, () => walk(commit, folder))
      } catch (error) {
        if (isFleetError(error) && error.code === 'repository-damaged') return undefined
        throw error
      }
    },
  }
}
