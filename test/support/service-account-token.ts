/** Tokens of service accounts, signed with the key of a test bed's API server: also ones that are about to expire. */
import { sign } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import type { Cluster } from '../../scripts/testbed/cluster.ts'

const ISSUER = 'https://kubernetes.default.svc'

/** @param expiresAt milliseconds since 1970; the API server allows a minute more */
export async function signServiceAccountToken(
  { api, serviceAccountKey }: Cluster,
  namespace: string,
  name: string,
  expiresAt: number,
): Promise<string> {
  const account = await api.get(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}`)
  const seconds = Math.floor(expiresAt / 1000)
  const claims = {
    iss: ISSUER,
    aud: [ISSUER],
    sub: `system:serviceaccount:${namespace}:${name}`,
    iat: seconds - 3_600,
    nbf: seconds - 3_600,
    exp: seconds,
    'kubernetes.io': { namespace, serviceaccount: { name, uid: account?.metadata.uid } },
  }
  const head = [{ alg: 'RS256', typ: 'JWT' }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  )
  const key = await readFile(serviceAccountKey, 'utf8')
  const signature = sign('sha256', Buffer.from(head.join('.')), key).toString('base64url')
  return `${head.join('.')}.${signature}`
}
