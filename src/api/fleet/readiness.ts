/** Whether requests can be served, and what stands against it. */
import { type ErrorCode, isFleetError } from '../../fleet/errors.ts'
import type { Parts } from '../context.ts'
import { type Answer, json } from '../routes.ts'

const STALE_AFTER = 120_000
/** The backend is asked no more often than this; probes come every few seconds. */
const CHECK_EVERY = 10_000
/** A probe waits no longer for the backend. */
const PATIENCE = 2_000

export type ReadinessParts = Pick<Parts, 'writer' | 'secrets' | 'clock' | 'options'>

interface Trouble {
  readonly part: 'repository' | 'secrets'
  readonly code: ErrorCode
  readonly reason: string
}

export const READINESS_SCHEMA = {
  type: 'object',
  required: ['status', 'head', 'lastContactAt', 'troubles'],
  properties: {
    status: { enum: ['ready', 'not-ready'] },
    head: { type: 'string' },
    lastContactAt: { type: 'string', format: 'date-time', description: 'When the repository last answered' },
    code: { type: 'string', description: 'Of the first trouble' },
    reason: { type: 'string', description: 'Of the first trouble' },
    troubles: {
      type: 'array',
      items: {
        type: 'object',
        required: ['part', 'code', 'reason'],
        properties: {
          part: { enum: ['repository', 'secrets'] },
          code: { type: 'string' },
          reason: { type: 'string' },
        },
      },
    },
  },
} as const

export function createReadiness(parts: ReadinessParts): () => Promise<Answer> {
  const secrets = secretsWatch(parts)
  return async () => {
    const { writer } = parts
    const troubles = [repositoryTrouble(parts), await secrets()].filter((trouble) => trouble !== undefined)
    const [first] = troubles
    return json(first === undefined ? 200 : 503, {
      status: first === undefined ? 'ready' : 'not-ready',
      ...(first === undefined ? {} : { code: first.code, reason: first.reason }),
      head: writer.head,
      lastContactAt: new Date(writer.contact.at).toISOString(),
      troubles,
    })
  }
}

function repositoryTrouble({ writer, clock, options }: ReadinessParts): Trouble | undefined {
  const { at, trouble } = writer.contact
  const silent = clock.now() - at > (options.staleAfterMilliseconds ?? STALE_AFTER)
  // Out of reach for a moment is no reason to send requests elsewhere.
  const broken = trouble !== undefined && trouble.code !== 'remote-unavailable'
  if (!silent && !broken) return undefined
  return {
    part: 'repository',
    code: trouble?.code ?? 'remote-unavailable',
    reason: trouble?.message ?? 'the fleet repository has not answered lately',
  }
}

/** What the secret backend last said; asks again when that is old. */
function secretsWatch({ secrets, clock }: ReadinessParts): () => Promise<Trouble | undefined> {
  let known: Trouble | undefined
  let askedAt = Number.NEGATIVE_INFINITY
  let asking: Promise<void> | undefined
  async function ask(): Promise<void> {
    askedAt = clock.monotonic()
    try {
      await secrets.check()
      known = undefined
    } catch (error) {
      known = isFleetError(error)
        ? { part: 'secrets', code: error.code, reason: error.message }
        : { part: 'secrets', code: 'internal', reason: 'the secret backend failed unexpectedly' }
    }
  }
  return async () => {
    if (clock.monotonic() - askedAt < CHECK_EVERY && asking === undefined) return known
    asking ??= ask().finally(() => {
      asking = undefined
    })
    const done = new AbortController()
    const late = clock.sleep(PATIENCE, done.signal).then(
      () => true,
      () => false,
    )
    const isLate = await Promise.race([asking.then(() => false), late])
    done.abort()
    if (!isLate) return known
    const reason = 'the secret backend does not answer'
    return known ?? { part: 'secrets', code: 'secret-backend-unavailable', reason }
  }
}
