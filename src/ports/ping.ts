/** Asks workspaces whether they are there. Implemented in src/ping. */
import type { InstallationSight } from '../fleet/observed/sight.ts'

export type PingSight = NonNullable<InstallationSight['ping']>

export interface Ping {
  /** @param host DNS name of the workspace. Never throws: what goes wrong is the answer. */
  ping(host: string, signal: AbortSignal): Promise<Omit<PingSight, 'at'>>
  close(): void
}
