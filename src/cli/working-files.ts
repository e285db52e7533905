/** The files of a checkout on this disk, as git would commit them: links are links, nothing is followed. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '../fleet/errors.ts'
import type { ObjectId } from '../fleet/ids.ts'
import { roleOf } from '../fleet/paths.ts'
import { hashObject } from '../git/objects.ts'
import type { ChangedFile } from '../git/writer/ingest.ts'
import type { Progress } from './terminal.ts'

export interface WorkingFile {
  readonly path: string
  /** As git has it: 100644 a file, 120000 a symbolic link, 0 what git cannot hold. */
  readonly mode: string
}

/** @throws FleetError `invalid-configuration` when the folder cannot be read */
export async function listWorkingFiles(folder: string): Promise<readonly WorkingFile[]> {
  const found: WorkingFile[] = []
  const walk = async (below: string): Promise<void> => {
    for (const entry of await readdir(join(folder, below), { withFileTypes: true })) {
      if (entry.name === '.git') continue
      const path = below === '' ? entry.name : `${below}/${entry.name}`
      if (entry.isDirectory()) await walk(path)
      else found.push({ path, mode: entry.isFile() ? '100644' : entry.isSymbolicLink() ? '120000' : '0' })
    }
  }
  try {
    await walk('')
  } catch (cause) {
    if (!(cause instanceof Error && 'code' in cause)) throw cause
    const why =
      cause.code === 'ENOENT' ? 'there is no such folder' : `it cannot be read (${String(cause.code)})`
    throw new FleetError(
      'invalid-configuration',
      `${folder}: ${why}; name the folder of a fleet repository.`,
      {},
      { cause },
    )
  }
  return found.sort((a, b) => (a.path < b.path ? -1 : 1))
}

export interface WorkingDocuments {
  readonly files: readonly ChangedFile[]
  readonly contents: ReadonlyMap<ObjectId, Uint8Array>
}

/** Few at a time: a process may hold about a thousand open files. */
const AT_ONCE = 64

/** Reads the intents among files. Rendered files are named only. */
export async function readWorkingDocuments(
  folder: string,
  files: readonly WorkingFile[],
  progress?: Progress,
): Promise<WorkingDocuments> {
  const contents = new Map<ObjectId, Uint8Array>()
  const changed: ChangedFile[] = []
  const read = async ({ path, mode }: WorkingFile): Promise<ChangedFile> => {
    if (mode !== '100644') return { path, from: undefined, to: NOT_READ, mode }
    if (roleOf(path).role !== 'intent') return { path, from: undefined, to: NOT_READ, mode }
    const content = await readFile(join(folder, path))
    const to = hashObject('blob', content)
    contents.set(to, content)
    return { path, from: undefined, to, mode }
  }
  for (let at = 0; at < files.length; at += AT_ONCE) {
    changed.push(...(await Promise.all(files.slice(at, at + AT_ONCE).map(read))))
    progress?.update(at, files.length)
  }
  return { files: changed, contents }
}

/** Stands for the content of what is there and is not read. */
const NOT_READ = '0'.repeat(40) as ObjectId
