/** What is at a path of one tree. Folders are read once. */
import type { ObjectId } from '../../fleet/ids.ts'
import type { ObjectReader, TreeEntry } from '../contracts.ts'

/** Larger files are no documents, and nobody merges them by lines here. */
const MOST_BYTES = 4 * 1024 * 1024
const FOLDER = '040000'

export interface TreeLookup {
  entry(path: string): Promise<TreeEntry | undefined>
  /** Names in a folder; none when it is not there. */
  names(folder: string): Promise<readonly string[]>
  /** Whether a file, link or submodule stands where a folder of the path would be. */
  isBelowFile(path: string): Promise<boolean>
  /** Undefined: too large. */
  content(oid: ObjectId): Promise<Uint8Array | undefined>
}

export function createTreeLookup(root: ObjectId, reader: Pick<ObjectReader, 'tree' | 'blobs'>): TreeLookup {
  const folders = new Map<string, Promise<ReadonlyMap<string, TreeEntry>>>()
  async function read(oid: ObjectId): Promise<ReadonlyMap<string, TreeEntry>> {
    return new Map((await reader.tree(oid)).map((found) => [found.name, found]))
  }
  async function folder(path: string): Promise<ReadonlyMap<string, TreeEntry>> {
    if (path === '') return await read(root)
    const found = await entry(path)
    return found?.mode === FOLDER ? await read(found.oid) : new Map()
  }
  async function entriesOf(path: string): Promise<ReadonlyMap<string, TreeEntry>> {
    const known = folders.get(path) ?? folder(path)
    folders.set(path, known)
    return await known
  }
  async function entry(path: string): Promise<TreeEntry | undefined> {
    const at = path.lastIndexOf('/')
    return (await entriesOf(path.slice(0, Math.max(at, 0)))).get(path.slice(at + 1))
  }
  return {
    entry,
    names: async (path) => [...(await entriesOf(path)).keys()],
    async isBelowFile(path) {
      const names = path.split('/').slice(0, -1)
      for (const [index] of names.entries()) {
        const found = await entry(names.slice(0, index + 1).join('/'))
        if (found === undefined) return false
        if (found.mode !== FOLDER) return true
      }
      return false
    },
    async content(oid) {
      let found: Uint8Array | undefined
      await reader.blobs([oid], MOST_BYTES, (_, content) => {
        found = content
      })
      return found
    },
  }
}
