/** Secrets in a private folder: one file a key, written whole or not at all. */
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join, relative } from 'node:path'
import { FleetError } from '../../fleet/errors.ts'
import type { SecretBackend } from '../../ports/secrets.ts'

const KEY = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*(?:\/[a-zA-Z0-9][a-zA-Z0-9_.-]*)*$/
const LONGEST_KEY = 400
const TEMPORARY = '.writing'

export async function openSecretDirectory(folder: string): Promise<SecretBackend> {
  await mkdir(folder, { recursive: true, mode: 0o700 })
  return {
    async put(key, value) {
      const path = pathOf(folder, key)
      await mkdir(dirname(path), { recursive: true, mode: 0o700 })
      const temporary = `${path}${TEMPORARY}`
      const file = await open(temporary, 'w', 0o600)
      try {
        await file.writeFile(value)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
      const parent = await open(dirname(path), 'r')
      await parent.sync().finally(() => parent.close())
    },
    async get(key) {
      try {
        return await readFile(pathOf(folder, key), 'utf8')
      } catch (error) {
        if (isMissing(error)) return undefined
        throw unavailable(error)
      }
    },
    async remove(key) {
      await rm(pathOf(folder, key), { force: true })
    },
    async list(prefix) {
      const names = await readdir(folder, { recursive: true, withFileTypes: true })
      const files = names
        .filter((entry) => entry.isFile() && !entry.name.endsWith(TEMPORARY))
        .map((entry) => join(entry.parentPath, entry.name))
      const found = files
        .map((path) => ({ path, key: relative(folder, path) }))
        .filter(({ key }) => key.startsWith(prefix))
      return await Promise.all(
        found.map(async ({ path, key }) => ({ key, createdAt: (await stat(path)).mtimeMs })),
      )
    },
    close: async () => undefined,
  }
}

/** @throws FleetError `invalid-request` for what could leave the folder */
function pathOf(folder: string, key: string): string {
  if (KEY.test(key) && key.length <= LONGEST_KEY) return join(folder, key)
  throw new FleetError(
    'invalid-request',
    `The secret key ${JSON.stringify(key.slice(0, 80))} must be names of letters, digits, _, . and - with / between them.`,
  )
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR')
}

function unavailable(cause: unknown): FleetError {
  return new FleetError('secret-backend-unavailable', 'The folder of secrets cannot be read.', {}, { cause })
}
