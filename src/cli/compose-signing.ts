/** Who Fleetwright commits as, and the key that it signs its commits with. */
import type { Logger } from 'pino'
import type { Configuration } from '../configuration/settings.ts'
import type { Problem } from '../fleet/files.ts'
import type { Actor } from '../fleet/transaction.ts'
import { openSigningKeyFile } from '../git/signing/signing-key-file.ts'
import type { WriterOptions } from '../git/writer/types.ts'
import type { Clock } from '../ports/clock.ts'
import { type Loop, startLoop } from '../reconcile/loop.ts'

export interface Signing {
  readonly writer: Pick<WriterOptions, 'committer' | 'sign'> & { readonly committer: Actor }
  problems(): readonly Problem[]
  close(): Promise<void>
}

export interface SigningOptions {
  readonly configuration: Configuration
  readonly clock: Clock
  readonly logger: Logger
  /** How often the file is looked at for another key, milliseconds. */
  readonly interval: number
  readonly onError: (error: unknown) => void
}

/** @throws FleetError `invalid-configuration` when the key cannot be used */
export async function openSigning(options: SigningOptions): Promise<Signing> {
  const { configuration, clock, logger, interval, onError } = options
  const committer = { name: 'Fleetwright', email: configuration['committer-email'] }
  const path = configuration['signing-key-file']
  if (path === undefined) return { writer: { committer }, problems: () => [], close: async () => undefined }
  const file = await openSigningKeyFile(path)
  let fingerprint = ''
  const tell = (): void => {
    if (fingerprint === file.fingerprint) return
    fingerprint = file.fingerprint
    logger.info({ key: fingerprint, committer: committer.email }, 'commits are signed')
  }
  tell()
  const loop: Loop = startLoop({
    clock,
    interval,
    async run() {
      await file.refresh()
      tell()
    },
    onError,
  })
  return { writer: { committer, sign: file.sign }, problems: () => file.problems(), close: loop.close }
}
