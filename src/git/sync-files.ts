/** Makes files and folders durable. */
import { open } from 'node:fs/promises'

/** All at once: a file system writes its journal for the first of them and has nothing left to do for the others. */
export async function syncFiles(paths: Iterable<string>): Promise<void> {
  await Promise.all([...new Set(paths)].map(syncFile))
}

async function syncFile(path: string): Promise<void> {
  const file = await open(path, 'r')
  try {
    await file.sync()
  } finally {
    await file.close()
  }
}
