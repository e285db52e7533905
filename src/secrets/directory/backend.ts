/** Secrets in a private folder: one file a key, written whole or not at all. */
import { access, constants, link, mkdir, open, readdir, readFile, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import type { SecretBackend, StoredSecret } from '../../ports/secrets.ts'
import { refuseOtherValue, requireKey, requireValue } from '../key.ts'

/** A dot in front: no key looks like this. */
const TEMPORARY = '.writing-'

export async function openSecretDirectory(folder: string): Promise<SecretBackend> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  await removeHalfWritten(folder)
  let writes = 0
  return {
    async put(key, value) {
      requireKey(key)
      requireValue(key, value)
      writes += 1
      const temporary = `${TEMPORARY}${process.pid}-${writes}`
      await orUnavailable('written', () => write(join(folder, key), temporary, key, value))
    },
    async get(key) {
      requireKey(key)
      return await orUnavailable('read', () => readIfThere(join(folder, key)))
    },
    async remove(key) {
      requireKey(key)
      await orUnavailable('written', () => rm(join(folder, key), { force: true }))
    },
    list: async (prefix) => await orUnavailable('read', () => list(folder, prefix)),
    check: async () =>
      await orUnavailable('written', () => access(folder, constants.R_OK | constants.W_OK | constants.X_OK)),
    close: async () => undefined,
  }
}

/** What a killed process left; it holds values. */
async function removeHalfWritten(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    if (entry.isFile() && entry.name.startsWith(TEMPORARY))
      await rm(join(entry.parentPath, entry.name), { force: true })
}

/** Linking fails where a file is, so nothing is ever written over. */
async function write(path: string, name: string, key: string, value: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const temporary = join(dirname(path), name)
  const file = await open(temporary, 'wx', 0o600)
  try {
    await file.writeFile(value)
    await file.sync()
    await link(temporary, path)
  } catch (error) {
    if (!hasCode(error, 'EEXIST')) throw error
    if ((await readIfThere(path)) !== value) refuseOtherValue(key)
  } finally {
    await file.close()
    await rm(temporary, { force: true })
  }
  const parent = await open(dirname(path), 'r')
  await parent.sync().finally(() => parent.close())
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (hasCode(error, 'ENOENT') || hasCode(error, 'ENOTDIR')) return undefined
    throw error
  }
}

async function list(folder: string, prefix: string): Promise<readonly StoredSecret[]> {
  const names = await readdir(folder, { recursive: true, withFileTypes: true })
  const found: StoredSecret[] = []
  for (const entry of names) {
    const path = join(entry.parentPath, entry.name)
    const key = relative(folder, path)
    if (!entry.isFile() || entry.name.startsWith('.') || !key.startsWith(prefix)) continue
    const status = await stat(path).catch((error: unknown) => {
      if (!hasCode(error, 'ENOENT')) throw error
      return undefined // removed meanwhile
    })
    if (status !== undefined) found.push({ key, createdAt: status.mtimeMs })
  }
  return found
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code
}

async function orUnavailable<Result>(what: 'read' | 'written', work: () => Promise<Result>): Promise<Result> {
  try {
    return await work()
  } catch (cause) {
    if (cause instanceof FleetError) throw cause
    throw new FleetError(
      'secret-backend-unavailable',
      `The folder of secrets cannot be ${what}; see the log, then check its owner, its rights and the space on its disk.`,
      {},
      { cause },
    )
  }
}
