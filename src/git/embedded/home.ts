/** The fleet repository as a bare repository on this disk. */
import { mkdir, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import { git } from '../child-process.ts'
import type { RepositoryHome } from '../contracts.ts'
import type { FleetIdentity } from '../fleet-identity.ts'
import { lockInstance } from '../instance-lock.ts'
import { createMainGuard, gone } from '../main-guard.ts'
import { createObjectReader } from '../object-reader.ts'
import { buildPack } from '../pack.ts'
import { removeHalfPacks, removeStaleLocks, storePack } from '../pack-folder.ts'
import { createRefTransactions, readTips } from '../ref-transactions.ts'

/** Kept by the repository itself, so that nobody rewrites history by accident; `core.fsync` is for pushes by native git. */
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
 * @throws FleetError `invalid-configuration` when another process works on it, or it is no bare repository;
 * `history-rewritten` when it is not there and was
 */
export async function openEmbeddedHome(directory: string, identity?: FleetIdentity): Promise<RepositoryHome> {
  const isThere = await exists(join(directory, 'HEAD'))
  // A disk that is not mounted looks like a repository that has to be made.
  if (!isThere && identity?.main !== undefined) throw gone(identity.main)
  await mkdir(dirname(directory), { recursive: true })
  if (!isThere) await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
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
  const refs = createRefTransactions(directory, { durable: true })
  const guard = createMainGuard({ directory, ...(identity === undefined ? {} : { identity }) })
  return {
    gitDirectory: directory,
    native: undefined,
    earlierTips: new Map(),
    tips: () => readTips(directory),
    async fetch() {
      guard.check()
      const tips = await readTips(directory)
      await guard.admit(tips)
      return tips
    },
    objects,
    async push(updates, fresh) {
      guard.check()
      if (fresh.length > 0) await storePack(directory, buildPack(fresh, false))
      const pushed = await refs.update(updates)
      if (pushed.outcome === 'accepted') await guard.wrote(updates)
      return pushed
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

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path)
    return true
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return false
    throw error
  }
}
