import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '../fleet/errors.ts'
import type { Randomness } from '../ports/clock.ts'

const BYTES = 32

/** Of the data directory, made at the first start. @throws FleetError `invalid-configuration` */
export async function openReviewKey(data: string, randomness: Randomness): Promise<Uint8Array> {
  await mkdir(data, { recursive: true })
  const path = join(data, 'review-key')
  const made = `${Buffer.from(randomness.bytes(BYTES)).toString('hex')}\n`
  await writeFile(path, made, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  const key = Buffer.from((await readFile(path, 'utf8')).trim(), 'hex')
  if (key.length === BYTES) return key
  throw new FleetError(
    'invalid-configuration',
    `${path} must hold ${BYTES} bytes in hexadecimal; remove it, and a new one is made.`,
  )
}
