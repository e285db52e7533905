/** Who Fleetwright commits as, and the key that it signs its commits with. */
import type { Logger } from 'pino'
import type { Configuration } from '../configuration/settings.ts'
import type { Problem } from '../fleet/files.ts'
import { openSigningKeyFile } from '../git/signing/signing-key-file.ts'
import type { WriterOptions } from '../git/writer/types.ts'

export interface Signing {
  readonly writer: Pick<WriterOptions, 'committer' | 'sign'>
  /** Looks at the file for another key. */
  refresh(): Promise<void>
  problems(): readonly Problem[]
}

/** @throws FleetError `invalid-configuration` when the key cannot be used */
export async function openSigning(configuration: Configuration, logger: Logger): Promise<Signing> {
  const committer = { name: 'Fleetwright', email: configuration['committer-email'] }
  const path = configuration['signing-key-file']
  if (path === undefined) return { writer: { committer }, refresh: async () => undefined, problems: () => [] }
  const file = await openSigningKeyFile(path)
  let told = ''
  const tell = (): void => {
    if (told === file.fingerprint) return
    told = file.fingerprint
    logger.info({ key: told, committer: committer.email }, 'commits are signed')
  }
  tell()
  return {
    writer: { committer, sign: file.sign },
    async refresh() {
      await file.refresh()
      tell()
    },
    problems: () => file.problems(),
  }
}
