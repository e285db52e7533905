/** Who is told of events, and by whom. */
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import { bodyOf } from '../notify/bodies.ts'
import { createHttpSender } from '../notify/http-sender.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { SecretBackend } from '../ports/secrets.ts'
import type { FleetStore } from '../ports/store.ts'
import { startDeliveries } from '../reconcile/deliveries.ts'
import type { ObservationMetrics } from '../reconcile/observation-metrics.ts'

const PREFIX = 'whsec_'
const KEY_BYTES = 32

export interface NotificationsOptions {
  readonly configuration: Configuration
  readonly store: FleetStore
  readonly secrets: SecretBackend
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onError: (error: unknown) => void
  readonly metrics: Pick<ObservationMetrics, 'delivered'>
}

export async function composeNotifications(
  options: NotificationsOptions,
): Promise<{ readonly wake: () => void; close(): Promise<void> }> {
  const { configuration, store, secrets, clock, randomness, onError, metrics } = options
  const sender = createHttpSender({
    key: await signingKey(options),
    secrets,
    environment: process.env,
    allowLinkLocal: configuration['webhook-link-local'] === 'yes',
  })
  const deliveries = startDeliveries({
    ...{ store, sender, bodyOf, clock, randomness, onError },
    onOutcome: metrics.delivered,
  })
  return {
    wake: deliveries.wake,
    async close() {
      await deliveries.close()
      await sender.close()
    },
  }
}

/** The configured key, or the one of the data directory, which is made when there is none. */
async function signingKey({ configuration, randomness }: NotificationsOptions): Promise<Uint8Array> {
  const configured = configuration['webhook-key']
  if (configured !== undefined) return keyOf(configured)
  const path = join(configuration.data, 'webhook-key')
  const made = `${PREFIX}${Buffer.from(randomness.bytes(KEY_BYTES)).toString('base64')}\n`
  await writeFile(path, made, { mode: 0o600, flag: 'wx' }).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
  return keyOf((await readFile(path, 'utf8')).trim())
}

function keyOf(text: string): Uint8Array {
  const key = Buffer.from(text.slice(PREFIX.length), 'base64')
  if (text.startsWith(PREFIX) && key.length >= 24) return key
  throw new FleetError(
    'invalid-configuration',
    `The webhook key must be ${PREFIX} and base64 of at least 24 bytes.`,
  )
}
