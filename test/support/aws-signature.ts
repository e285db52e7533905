/** Tokens of EKS as the server side checks them. */
import { createHash, createHmac } from 'node:crypto'

function hmac(key: string | Buffer, text: string): Buffer {
  return createHmac('sha256', key).update(text).digest()
}

/** Signature Version 4 of a presigned GET, as the documentation of AWS describes it. */
export function signatureFor(url: URL, headers: Readonly<Record<string, string>>, secret: string): string {
  const parameters = [...url.searchParams].filter(([name]) => name !== 'X-Amz-Signature')
  const encode = (text: string): string => encodeURIComponent(text).replaceAll('*', '%2A')
  const query = parameters
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .sort()
    .join('&')
  const names = Object.keys(headers).sort()
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('')
  const nothing = createHash('sha256').update('').digest('hex')
  const canonical = ['GET', '/', query, lines, names.join(';'), nothing].join('\n')
  const date = url.searchParams.get('X-Amz-Date') ?? ''
  const day = date.slice(0, 8)
  const region = url.searchParams.get('X-Amz-Credential')?.split('/')[2] ?? ''
  const text = [
    'AWS4-HMAC-SHA256',
    date,
    `${day}/${region}/sts/aws4_request`,
    createHash('sha256').update(canonical).digest('hex'),
  ].join('\n')
  const key = hmac(hmac(hmac(hmac(`AWS4${secret}`, day), region), 'sts'), 'aws4_request')
  return hmac(key, text).toString('hex')
}

/** The request to STS that a token holds. @throws Error when it is no such token */
export function urlOf(token: string): URL {
  if (!token.startsWith('k8s-aws-v1.')) throw new Error('no token of EKS')
  return new URL(Buffer.from(token.slice('k8s-aws-v1.'.length), 'base64url').toString('utf8'))
}
