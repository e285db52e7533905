/** A request that is sent again under the same `Idempotency-Key` gets the answer of the first one. */
import { FleetError, isFleetError } from '../fleet/errors.ts'
import type { EarlierRequest } from '../ports/writer.ts'
import type { Answer } from './routes.ts'

/** The key goes into a commit trailer: one line, of modest length. */
const KEY = /^[\x21-\x7e]{1,200}$/

export interface KeyedRequest {
  readonly key: string
  readonly digest: string
  /** What the log of the fleet repository knows about the key: it survives restarts. */
  readonly earlier: () => EarlierRequest | undefined
  readonly replay: (earlier: EarlierRequest) => Answer | undefined
  readonly work: () => Promise<Answer>
}

/** Answers that are kept word for word; older ones are made anew from the fleet. */
const MOST_KEPT = 2000

interface Known {
  readonly digest: string
  readonly answer: Promise<Answer>
}

/**
 * Requests under way, so that a second one joins instead of being carried out beside the first, and the answers of the
 * last ones, as they went out. A refused request leaves nothing behind: it may be sent again.
 */
export class IdempotentRequests {
  readonly #known = new Map<string, Known>()

  /** @throws FleetError `idempotency-conflict`, and what `work` throws */
  async answer(request: KeyedRequest): Promise<Answer> {
    const known = this.#known.get(request.key)
    if (known) {
      requireSame(request, known.digest)
      return replayed(await known.answer)
    }
    const earlier = request.earlier()
    if (earlier) return replayEarlier(request, earlier)
    const answer = workOrReplay(request)
    this.#known.set(request.key, { digest: request.digest, answer })
    try {
      return await answer
    } catch (error) {
      this.#known.delete(request.key)
      throw error
    } finally {
      this.#forgetOldest()
    }
  }

  #forgetOldest(): void {
    for (const key of this.#known.keys()) {
      if (this.#known.size <= MOST_KEPT) return
      this.#known.delete(key)
    }
  }
}

/** The same request may have been sent to another replica too, which was first. */
async function workOrReplay(request: KeyedRequest): Promise<Answer> {
  try {
    return await request.work()
  } catch (error) {
    const earlier =
      isFleetError(error) && error.code === 'carried-out-already' ? request.earlier() : undefined
    if (earlier === undefined) throw error
    return replayEarlier(request, earlier)
  }
}

/** @throws FleetError `invalid-request` */
export function readIdempotencyKey(header: string | undefined): string | undefined {
  if (header === undefined) return undefined
  if (KEY.test(header)) return header
  throw new FleetError(
    'invalid-request',
    'The header Idempotency-Key must be 1 to 200 printable ASCII characters without spaces.',
  )
}

function replayEarlier(request: KeyedRequest, earlier: EarlierRequest): Answer {
  requireSame(request, earlier.requestDigest)
  const answer = request.replay(earlier)
  if (answer)
    return replayed({ ...answer, headers: { ...answer.headers, 'Fleetwright-Commit': earlier.commit } })
  throw new FleetError(
    'not-found',
    `The request was carried out as commit ${earlier.commit}; what it made is not there any more.`,
  )
}

function requireSame({ key, digest }: KeyedRequest, earlier: string | undefined): void {
  if (earlier === digest) return
  throw new FleetError(
    'idempotency-conflict',
    `The idempotency key ${key} was used for another request; take a new key for each.`,
  )
}

function replayed(answer: Answer): Answer {
  return { ...answer, headers: { ...answer.headers, 'Idempotency-Replayed': 'true' } }
}
