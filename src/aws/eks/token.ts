/**
 * Tokens of EKS: a presigned request to STS that says who asks, made in process. EKS accepts one for 15 minutes; it is made anew at
 * 80 % of them, once for all who wait.
 */
import { createHash, createHmac, type Hash, type Hmac } from 'node:crypto'
import { SignatureV4, type SignatureV4Init } from '@smithy/signature-v4'
import type { Clock } from '../../ports/clock.ts'

const PREFIX = 'k8s-aws-v1.'
/** How long STS itself takes the request. */
const URL_SECONDS = 60
const LIFE_MILLISECONDS = 15 * 60_000
const RENEWAL_MILLISECONDS = 0.8 * LIFE_MILLISECONDS
/** The clocks of this machine and AWS may differ a little. */
const LEEWAY_MILLISECONDS = 30_000

export interface EksTokenOptions {
  readonly clusterName: string
  readonly region: string
  readonly credentials: SignatureV4Init['credentials']
  readonly clock: Pick<Clock, 'now'>
}

/** @returns the token for the next request; it fails when the AWS credentials cannot be had and no token is left */
export function createEksToken(options: EksTokenOptions): () => Promise<string> {
  const { clock } = options
  let present: { readonly token: string; readonly madeAt: number } | undefined
  let making: Promise<string> | undefined
  async function renew(): Promise<string> {
    const madeAt = clock.now()
    const token = await presignedToken(options, new Date(madeAt))
    present = { token, madeAt }
    return token
  }
  return async () => {
    const age = present === undefined ? Number.POSITIVE_INFINITY : clock.now() - present.madeAt
    if (present !== undefined && age >= 0 && age < RENEWAL_MILLISECONDS) return present.token
    making ??= renew().finally(() => {
      making = undefined
    })
    try {
      return await making
    } catch (error) {
      // What is left of the old one's life bridges a failure that passes.
      if (present !== undefined && age < LIFE_MILLISECONDS - LEEWAY_MILLISECONDS) return present.token
      throw error
    }
  }
}

async function presignedToken(options: EksTokenOptions, signingDate: Date): Promise<string> {
  const { clusterName, region, credentials } = options
  const hostname = `sts.${region}.amazonaws.com${region.startsWith('cn-') ? '.cn' : ''}`
  const signer = new SignatureV4({ service: 'sts', region, credentials, sha256: Sha256 })
  const { query = {} } = await signer.presign(
    {
      method: 'GET',
      protocol: 'https:',
      hostname,
      path: '/',
      query: { Action: 'GetCallerIdentity', Version: '2011-06-15' },
      headers: { host: hostname, 'x-k8s-aws-id': clusterName },
    },
    { expiresIn: URL_SECONDS, signingDate },
  )
  const parameters = Object.entries(query).map(
    ([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`,
  )
  const url = `https://${hostname}/?${parameters.join('&')}`
  return PREFIX + Buffer.from(url).toString('base64url')
}

/** SHA-256 as the signer wants it. */
class Sha256 {
  readonly #hash: Hash | Hmac

  constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
    this.#hash = secret === undefined ? createHash('sha256') : createHmac('sha256', bytesOf(secret))
  }

  update(data: Uint8Array): void {
    this.#hash.update(data)
  }

  async digest(): Promise<Uint8Array> {
    return this.#hash.digest()
  }
}

function bytesOf(data: string | ArrayBuffer | ArrayBufferView): Uint8Array {
  if (typeof data === 'string') return Buffer.from(data)
  return data instanceof ArrayBuffer
    ? new Uint8Array(data)
    : new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
