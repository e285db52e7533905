/** Packs on disk: whole and durable, or not there. */
import { open, readdir, rename, rm } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { Pack } from './pack.ts'

/** Git's own prefix of files in the making. */
const TEMPORARY = 'tmp_'

function folderOf(directory: string): string {
  return join(directory, 'objects', 'pack')
}

/** Writes a pack so that it is on the disk, whole, before any ref names what is in it. */
export async function storePack(directory: string, { name, pack, index }: Pack): Promise<void> {
  const folder = folderOf(directory)
  // Git looks for packs by their index, so that comes last.
  await writeDurably(join(folder, `pack-${name}.pack`), pack)
  await writeDurably(join(folder, `pack-${name}.idx`), index)
  await syncFolder(folder)
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

/** Under a name git passes over until it is whole: a killed process must not leave half an index. */
async function writeDurably(path: string, content: Buffer): Promise<void> {
  const temporary = join(dirname(path), `${TEMPORARY}${basename(path)}`)
  const file = await open(temporary, 'w', 0o444)
  try {
    await file.writeFile(content)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(temporary, path)
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, 'r')
  try {
    await folder.sync()
  } finally {
    await folder.close()
  }
}
