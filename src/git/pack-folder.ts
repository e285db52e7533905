/** Packs on disk: whole and durable, or not there. */
import { readdir, rename, rm, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Pack } from './pack.ts'
import { syncFiles } from './sync-files.ts'

/** Git's own prefix of files in the making. */
const TEMPORARY = 'tmp_'

function folderOf(directory: string): string {
  return join(directory, 'objects', 'pack')
}

/** Writes a pack so that it is on the disk, whole, before any ref names what is in it. */
export async function storePack(directory: string, { name, pack, index }: Pack): Promise<void> {
  const folder = folderOf(directory)
  const files = [
    { path: join(folder, `pack-${name}.pack`), content: pack },
    // Git looks for packs by their index, so that comes last.
    { path: join(folder, `pack-${name}.idx`), content: index },
  ]
  for (const { path, content } of files) await writeFile(temporaryOf(path), content, { mode: 0o444 })
  await syncFiles(files.map(({ path }) => temporaryOf(path)))
  for (const { path } of files) await rename(temporaryOf(path), path)
  await syncFiles([folder])
}

/** Takes back a pack that no ref names. */
export async function dropPack(directory: string, { name }: Pack): Promise<void> {
  for (const extension of ['idx', 'pack'])
    await rm(join(folderOf(directory), `pack-${name}.${extension}`), { force: true })
}

/** Packs that a killed process did not finish. */
export async function removeHalfPacks(directory: string): Promise<void> {
  const folder = folderOf(directory)
  const names = (await readdir(folder)).filter((name) => name.startsWith(TEMPORARY))
  for (const name of names) await rm(join(folder, name), { force: true })
}

/** Locks of refs that a killed git left: call it only while nobody else works here. */
export async function removeStaleLocks(directory: string): Promise<void> {
  const below = await readdir(join(directory, 'refs'), { recursive: true })
  const locks = below.filter((name) => name.endsWith('.lock')).map((name) => join(directory, 'refs', name))
  for (const name of ['packed-refs.lock', 'HEAD.lock', 'config.lock']) locks.push(join(directory, name))
  for (const path of locks) await rm(path, { force: true })
}

/** A name git passes over until the file is whole: a killed process must not leave half an index. */
function temporaryOf(path: string): string {
  return join(dirname(path), `${TEMPORARY}${basename(path)}`)
}
