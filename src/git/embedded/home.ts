/** The fleet repository as a bare repository on this disk. */
import { mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import { git } from '../child-process.ts'
import type { NewObject, RepositoryHome } from '../contracts.ts'
import { createObjectReader } from '../object-reader.ts'
import { buildPack } from '../pack.ts'
import { lockInstance } from './instance-lock.ts'
import { createRefTransactions } from './refs.ts'

/** Git's own prefix of files in the making. */
const TEMPORARY = 'tmp_'

/** Kept by the repository itself, so that nobody rewrites history by accident; `core.fsync` makes refs durable. */
const SETTINGS = [
  ['receive.denyNonFastForwards', 'true'],
  ['receive.denyDeletes', 'true'],
  ['receive.fsckObjects', 'true'],
  ['core.fsync', 'all'],
  ['gc.auto', '0'],
  ['uploadpack.allowFilter', 'true'],
  ['uploadpack.allowAnySHA1InWant', 'true'],
] as const

/**
 * Opens a bare repository, or makes it.
 * @throws FleetError `invalid-configuration` when another process works on it, or it is no bare repository
 */
export async function openEmbeddedHome(directory: string): Promise<RepositoryHome> {
  await mkdir(dirname(directory), { recursive: true })
  if (!(await exists(join(directory, 'HEAD'))))
    await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  if (!(await exists(join(directory, 'objects'))))
    throw new FleetError(
      'invalid-configuration',
      `${directory} is not a bare git repository; name one, or a folder that is not there yet.`,
    )
  const lock = await lockInstance(directory)
  await removeStaleLocks(directory)
  await removeHalfPacks(directory)
  for (const [key, value] of SETTINGS) await git(['config', key, value], { directory })
  const objects = createObjectReader(directory)
  const refs = createRefTransactions(directory)
  const tips = (): Promise<ReadonlyMap<RefName, ObjectId>> => readTips(directory)
  return {
    gitDirectory: directory,
    tips,
    fetch: tips,
    objects,
    async push(updates, fresh) {
      if (fresh.length > 0) await writePack(directory, fresh)
      return await refs.update(updates)
    },
    async maintain() {
      await git(['repack', '-d', '--geometric=2', '--quiet'], { directory })
      await git(['pack-refs', '--all'], { directory })
    },
    async close() {
      await refs.close()
      await objects.close()
      await lock.close()
    },
  }
}

/** All branches with their tips. */
export async function readTips(directory: string): Promise<ReadonlyMap<RefName, ObjectId>> {
  const output = await git(['for-each-ref', '--format=%(refname) %(objectname)', 'refs/heads'], { directory })
  const lines = output
    .toString('utf8')
    .split('\n')
    .filter((line) => line !== '')
  return new Map(
    lines.map((line) => {
      const [ref = '', oid = ''] = line.split(' ')
      // Git's own output.
      return [ref as RefName, oid as ObjectId]
    }),
  )
}

/** Writes a pack so that it is on the disk, whole, before any ref names what is in it. */
export async function writePack(directory: string, objects: readonly NewObject[]): Promise<void> {
  const { name, pack, index } = buildPack(objects, false)
  const folder = join(directory, 'objects', 'pack')
  // Git looks for packs by their index, so that comes last.
  await writeDurably(join(folder, `pack-${name}.pack`), pack)
  await writeDurably(join(folder, `pack-${name}.idx`), index)
  await syncFolder(folder)
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

/** What a killed git left: nobody else works here, the instance lock says so. */
async function removeStaleLocks(directory: string): Promise<void> {
  const below = await readdir(join(directory, 'refs'), { recursive: true })
  const locks = below.filter((name) => name.endsWith('.lock')).map((name) => join(directory, 'refs', name))
  for (const path of [
    ...locks,
    join(directory, 'packed-refs.lock'),
    join(directory, 'HEAD.lock'),
    join(directory, 'config.lock'),
  ]) {
    await rm(path, { force: true })
  }
}

/** Packs that a killed process did not finish. */
async function removeHalfPacks(directory: string): Promise<void> {
  const folder = join(directory, 'objects', 'pack')
  const names = (await readdir(folder)).filter((name) => name.startsWith(TEMPORARY))
  for (const name of names) await rm(join(folder, name), { force: true })
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
