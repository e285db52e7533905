/** kube-apiserver on loopback, with RBAC and tokens from a file; it makes its own certificates. */
import { generateKeyPairSync } from 'node:crypto'
import { readFile, writeFile } from 'node:fs/promises'
import { get } from 'node:https'
import { join } from 'node:path'
import { ensureTool } from './binaries.ts'
import type { ManagedProcess, Supervisor } from './supervisor.ts'

export interface ApiServerToken {
  readonly token: string
  readonly user: string
  readonly groups: readonly string[]
}

export interface ApiServerOptions {
  readonly cluster: string
  readonly etcdUrl: string
  readonly port: number
  readonly tokens: readonly ApiServerToken[]
  /** Asked (TokenReview over HTTP) about tokens that the server does not know itself. */
  readonly tokenWebhookUrl?: string
}

export interface ApiServerFiles {
  /** Private key that signs service account tokens. */
  readonly serviceAccountKey: string
  /** Certificate of the server and of its authority, PEM. */
  readonly authority: string
  /** Kubeconfig of the token webhook. */
  readonly tokenWebhook?: string
}

export async function writeApiServerFiles(
  supervisor: Supervisor,
  { cluster, tokens, tokenWebhookUrl }: Pick<ApiServerOptions, 'cluster' | 'tokens' | 'tokenWebhookUrl'>,
): Promise<ApiServerFiles> {
  const folder = await supervisor.makeFolder(cluster, 0o700)
  const lines = tokens.map(({ token, user, groups }) => `${token},${user},${user},"${groups.join(',')}"\n`)
  await writeFile(join(folder, 'tokens.csv'), lines.join(''), { mode: 0o600 })
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const serviceAccountKey = join(folder, 'service-account.key')
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' })
  await writeFile(serviceAccountKey, pem, { mode: 0o600 })
  const files = { serviceAccountKey, authority: join(folder, 'pki', 'apiserver.crt') }
  if (tokenWebhookUrl === undefined) return files
  const tokenWebhook = join(folder, 'token-webhook.json')
  await writeFile(tokenWebhook, webhookConfig(tokenWebhookUrl))
  return { ...files, tokenWebhook }
}

function webhookConfig(server: string): string {
  const name = 'webhook'
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name, cluster: { server } }],
    users: [{ name, user: {} }],
    contexts: [{ name, context: { cluster: name, user: name } }],
    'current-context': name,
  })
}

/** Ready when `/readyz` says so. Starting it again on the same port and files continues where it was. */
export async function startApiServer(
  supervisor: Supervisor,
  { cluster, etcdUrl, port }: ApiServerOptions,
  { serviceAccountKey, authority, tokenWebhook }: ApiServerFiles,
): Promise<ManagedProcess> {
  const folder = join(supervisor.folder, cluster)
  return await supervisor.start({
    name: `${cluster}-kube-apiserver`,
    command: await ensureTool('kube-apiserver'),
    args: [
      `--etcd-servers=${etcdUrl}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=127.0.0.1',
      `--secure-port=${port}`,
      `--cert-dir=${join(folder, 'pki')}`,
      `--token-auth-file=${join(folder, 'tokens.csv')}`,
      '--authorization-mode=RBAC',
      `--service-account-key-file=${serviceAccountKey}`,
      `--service-account-signing-key-file=${serviceAccountKey}`,
      '--service-account-issuer=https://kubernetes.default.svc',
      '--service-cluster-ip-range=10.96.0.0/16',
      '--endpoint-reconciler-type=none',
      // Its taint would be taken off by the node lifecycle controller only, which does not run here.
      '--disable-admission-plugins=TaintNodesByCondition',
      '--allow-privileged',
      '--profiling=false',
      ...(tokenWebhook === undefined
        ? []
        : [
            `--authentication-token-webhook-config-file=${tokenWebhook}`,
            '--authentication-token-webhook-version=v1',
            '--authentication-token-webhook-cache-ttl=1s',
          ]),
    ],
    ready: () => isReady(port, authority),
  })
}

async function isReady(port: number, authority: string): Promise<boolean> {
  const ca = await readFile(authority)
  return await new Promise<boolean>((resolve, reject) => {
    const request = get(
      `https://127.0.0.1:${port}/readyz`,
      { ca, agent: false, timeout: 5_000 },
      (response) => {
        response.resume()
        resolve(response.statusCode === 200)
      },
    )
    request.once('timeout', () => request.destroy(new Error('no answer')))
    request.once('error', reject)
  })
}
