import type { IncomingMessage } from 'node:http'
import { FleetError } from '../fleet/errors.ts'

/**
 * Reads a request's body.
 * @throws FleetError `body-too-large`, `invalid-request` when the sender went away half-way
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Uint8Array> {
  if (Number(request.headers['content-length'] ?? 0) > limit) throw tooLarge(limit)
  const chunks: Uint8Array[] = []
  let size = 0
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) {
      size += chunk.length
      if (size > limit) throw tooLarge(limit)
      chunks.push(chunk)
    }
  } catch (error) {
    if (error instanceof FleetError) throw error
    throw new FleetError('invalid-request', 'The body ended before it was complete.', {}, { cause: error })
  }
  return Buffer.concat(chunks)
}

function tooLarge(limit: number): FleetError {
  return new FleetError('body-too-large', `The body is larger than ${limit} bytes.`)
}
