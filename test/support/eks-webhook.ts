/** What EKS does with a token: a webhook that the API server asks, which checks it as STS would. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { signatureFor, urlOf } from './aws-signature.ts'

export interface EksWebhook {
  readonly url: string
  /** Tokens it was asked about. */
  readonly asked: () => number
  close(): Promise<void>
}

export interface EksWebhookOptions {
  readonly clusterName: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  /** Of whoever has these keys. */
  readonly groups: readonly string[]
}

const LIFE_MILLISECONDS = 15 * 60_000

export async function startEksWebhook(options: EksWebhookOptions): Promise<EksWebhook> {
  let asked = 0
  const server = createServer(async (request, response) => {
    asked += 1
    let body = ''
    for await (const text of request.setEncoding('utf8')) body += text
    const { spec }: { readonly spec: { readonly token: string } } = JSON.parse(body)
    const authenticated = isGood(spec.token, options)
    const user = { username: `arn:aws:iam::123456789012:user/${options.accessKeyId}`, groups: options.groups }
    const status = authenticated ? { authenticated, user } : { authenticated }
    response.setHeader('Content-Type', 'application/json')
    response.end(JSON.stringify({ apiVersion: 'authentication.k8s.io/v1', kind: 'TokenReview', status }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  // It listens on TCP, so it has an address.
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}/`,
    asked: () => asked,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function isGood(token: string, { clusterName, accessKeyId, secretAccessKey }: EksWebhookOptions): boolean {
  if (!token.startsWith('k8s-aws-v1.')) return false
  const url = urlOf(token)
  const { searchParams: given } = url
  const headers = { host: url.host, 'x-k8s-aws-id': clusterName }
  return (
    /^sts\.[a-z0-9-]+\.amazonaws\.com$/.test(url.host) &&
    given.get('Action') === 'GetCallerIdentity' &&
    given.get('X-Amz-Credential')?.split('/')[0] === accessKeyId &&
    given.get('X-Amz-SignedHeaders') === Object.keys(headers).join(';') &&
    Date.now() - dateOf(given.get('X-Amz-Date') ?? '') < LIFE_MILLISECONDS &&
    given.get('X-Amz-Signature') === signatureFor(url, headers, secretAccessKey)
  )
}

/** `20261124T120000Z` */
function dateOf(text: string): number {
  return Date.parse(text.replace(/^(....)(..)(..)T(..)(..)(..)Z$/, '$1-$2-$3T$4:$5:$6Z'))
}
