import type { Receiver, ReceiverHeader } from '../../ports/store.ts'
import { SECRET_IS_SET } from './common.ts'

const NANOSECONDS = 1_000_000

/** A webhook as the original shows it; values of secret headers are never in it. */
export function webhookView({ id, ownerId, url, createdAt, deletedAt, headers }: Receiver): object {
  return {
    ID: id,
    OwnerID: ownerId,
    URL: url,
    CreateAt: createdAt,
    DeleteAt: deletedAt ?? 0,
    Headers: headersView(headers),
  }
}

export function subscriptionView(
  receiver: Receiver,
  last: { readonly status: string; readonly at: number },
): object {
  const {
    id,
    ownerId,
    url,
    name = '',
    eventType = '',
    failureThreshold = 0,
    createdAt,
    deletedAt,
    headers,
  } = receiver
  return {
    ID: id,
    Name: name,
    URL: url,
    OwnerID: ownerId,
    EventType: eventType,
    LastDeliveryStatus: last.status,
    LastDeliveryAttemptAt: last.at,
    FailureThreshold: failureThreshold * NANOSECONDS,
    CreateAt: createdAt,
    DeleteAt: deletedAt ?? 0,
    LockAcquiredBy: null,
    LockAcquiredAt: 0,
    Headers: headersView(headers),
  }
}

function headersView(headers: readonly ReceiverHeader[]): readonly object[] | null {
  if (headers.length === 0) return null
  return headers.map(({ key, value, secretKey, valueFromEnv }) => ({
    key,
    ...(valueFromEnv === undefined
      ? { value: secretKey === undefined ? value : SECRET_IS_SET }
      : { value_from_env: valueFromEnv }),
  }))
}
