/** The key that commits are signed with, in a file that may be replaced while Fleetwright runs. */
import { createHash } from 'node:crypto'
import { type FileHandle, open } from 'node:fs/promises'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { SignCommit } from '../contracts.ts'
import { type PrivateKey, parsePrivateKey } from './private-key.ts'
import { sshSignature } from './ssh-signature.ts'

/** Of the largest RSA key there is room for. */
const MOST_BYTES = 64 * 1024
/** What git signs commits and tags as. */
const NAMESPACE = 'git'

export interface SigningKeyFile {
  readonly sign: SignCommit
  /** As `ssh-keygen -l` prints it, with the type: for people to compare. */
  readonly fingerprint: string
  /** Reads the file again. A key that cannot be used leaves the one before in place, and is a problem. */
  refresh(): Promise<void>
  problems(): readonly Problem[]
}

/** @throws FleetError `invalid-configuration`: unreadable, open to others, not a key, with a passphrase */
export async function openSigningKeyFile(path: string): Promise<SigningKeyFile> {
  let text = await readPrivate(path)
  let key = parsePrivateKey(text)
  let trouble: FleetError | undefined
  return {
    sign: (payload) => sshSignature(key, NAMESPACE, payload),
    get fingerprint() {
      return fingerprintOf(key)
    },
    async refresh() {
      try {
        const present = await readPrivate(path)
        if (present !== text) key = parsePrivateKey(present)
        text = present
        trouble = undefined
      } catch (error) {
        if (!isFleetError(error)) throw error
        trouble = error
      }
    },
    problems() {
      if (trouble === undefined) return []
      const detail = `${trouble.message} Commits are signed with the key that was there before, ${fingerprintOf(key)}.`
      return [{ path: '.', line: 0, column: 0, code: trouble.code, detail }]
    },
  }
}

async function readPrivate(path: string): Promise<string> {
  let file: FileHandle | undefined
  try {
    file = await open(path, 'r')
    const { mode, uid, size } = await file.stat()
    // As ssh judges it; files of others, such as mounted Secrets, may be readable by the group.
    const forbidden = uid === process.getuid?.() ? 0o077 : 0o007
    if ((mode & forbidden) !== 0)
      throw unusable(path, `others may read it (mode ${(mode & 0o777).toString(8)}); chmod 600 it`)
    if (size > MOST_BYTES) throw unusable(path, 'it is too large for a key')
    return await file.readFile('latin1')
  } catch (cause) {
    if (isFleetError(cause)) throw cause
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : 'unknown'
    throw unusable(path, `it cannot be read (${why})`, cause)
  } finally {
    await file?.close()
  }
}

function fingerprintOf({ type, publicKey }: PrivateKey): string {
  const digest = createHash('sha256').update(publicKey).digest('base64').replace(/=+$/, '')
  return `${type} SHA256:${digest}`
}

function unusable(path: string, why: string, cause?: unknown): FleetError {
  return new FleetError(
    'invalid-configuration',
    `The signing key file ${path} cannot be used: ${why}.`,
    {},
    { cause },
  )
}
