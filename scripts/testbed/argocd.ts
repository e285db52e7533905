/** Argo CD on one cluster: redis, repository server, application and ApplicationSet controllers, and the API server when asked for. */
import { symlink, writeFile } from 'node:fs/promises'
import { delimiter, join } from 'node:path'
import { ARGOCD_NAMESPACE, applyArgoCdObjects, clusterSecret } from './argocd-objects.ts'
import { ensureTool } from './binaries.ts'
import type { Cluster } from './cluster.ts'
import { freePorts, isListening } from './ports.ts'
import { startRedis } from './redis.ts'
import type { Supervisor } from './supervisor.ts'

export interface ArgoCdOptions {
  /** Added to the ConfigMap `argocd-cm`: health checks, for example. */
  readonly configuration?: Readonly<Record<string, string>>
  /** Also starts argocd-server, for its webhook and API. */
  readonly server?: boolean
}

export interface ArgoCd {
  readonly namespace: string
  /** Of argocd-server. */
  readonly url: string | undefined
  /** Makes another cluster a destination under its name. */
  registerCluster(cluster: Cluster): Promise<void>
}

interface Common {
  readonly supervisor: Supervisor
  readonly environment: Readonly<Record<string, string>>
  readonly command: string
  readonly kubeconfig: string
  readonly redis: string
  readonly repoServer: string
}

export async function startArgoCd(
  supervisor: Supervisor,
  cluster: Cluster,
  { configuration = {}, server = false }: ArgoCdOptions = {},
): Promise<ArgoCd> {
  const [repoPort = 0] = await freePorts(1)
  const [redis, environment, command] = await Promise.all([
    startRedis(supervisor, 'argocd-redis'),
    prepareEnvironment(supervisor, cluster),
    ensureTool('argocd'),
    applyArgoCdObjects(cluster.api, configuration),
  ])
  const common: Common = {
    supervisor,
    environment,
    command,
    kubeconfig: cluster.kubeconfig,
    redis: redis.address,
    repoServer: `127.0.0.1:${repoPort}`,
  }
  // A controller that does not find it tries again minutes later only.
  await startRepoServer(common, repoPort)
  const [url] = await Promise.all([
    server ? startServer(common) : undefined,
    startApplicationController(common),
    startApplicationSetController(common),
  ])
  return {
    namespace: ARGOCD_NAMESPACE,
    url,
    async registerCluster(other) {
      await cluster.api.apply(clusterSecret(other))
    },
  }
}

/** Empty folders for what it would read from volumes, and commands it looks for on the PATH. */
async function prepareEnvironment(
  supervisor: Supervisor,
  { kubeconfig }: Cluster,
): Promise<Readonly<Record<string, string>>> {
  const [tls, ssh, gpg, temporary, commands] = await Promise.all([
    supervisor.makeFolder('argocd/tls'),
    supervisor.makeFolder('argocd/ssh'),
    supervisor.makeFolder('argocd/gnupg', 0o700),
    supervisor.makeFolder('argocd/tmp'),
    supervisor.makeFolder('argocd/bin'),
  ])
  // It runs this before it renders, also where nothing is to be verified.
  await writeFile(join(commands, 'git-verify-wrapper.sh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  // Git asks it for passwords under this name.
  await symlink(await ensureTool('argocd'), join(commands, 'argocd'))
  return {
    PATH: `${commands}${delimiter}${process.env.PATH ?? ''}`,
    KUBECONFIG: kubeconfig,
    ARGOCD_FAKE_IN_CLUSTER: 'true',
    ARGOCD_TLS_DATA_PATH: tls,
    ARGOCD_SSH_DATA_PATH: ssh,
    ARGOCD_GNUPGHOME: gpg,
    ARGOCD_GPG_ENABLED: 'false',
    ARGOCD_ASK_PASS_SOCK: join(temporary, 'ask-pass.sock'),
    TMPDIR: temporary,
  }
}

async function startRepoServer(common: Common, port: number): Promise<void> {
  const [metricsPort = 0] = await freePorts(1)
  await startComponent(common, 'repo-server', port, [
    '--address=127.0.0.1',
    `--port=${port}`,
    '--metrics-address=127.0.0.1',
    `--metrics-port=${metricsPort}`,
    '--disable-tls',
    '--client-ca-path=',
    `--redis=${common.redis}`,
  ])
}

async function startApplicationController(common: Common): Promise<void> {
  const [metricsPort = 0] = await freePorts(1)
  await startComponent(common, 'application-controller', metricsPort, [
    `--kubeconfig=${common.kubeconfig}`,
    `--namespace=${ARGOCD_NAMESPACE}`,
    `--redis=${common.redis}`,
    `--repo-server=${common.repoServer}`,
    '--repo-server-plaintext',
    `--metrics-port=${metricsPort}`,
    '--persist-resource-health',
    '--status-processors=5',
    '--operation-processors=5',
  ])
}

async function startApplicationSetController(common: Common): Promise<void> {
  const [metricsPort = 0, probePort = 0, webhookPort = 0] = await freePorts(3)
  await startComponent(common, 'applicationset-controller', probePort, [
    `--kubeconfig=${common.kubeconfig}`,
    `--namespace=${ARGOCD_NAMESPACE}`,
    `--argocd-repo-server=${common.repoServer}`,
    '--repo-server-plaintext',
    `--metrics-addr=127.0.0.1:${metricsPort}`,
    `--probe-addr=127.0.0.1:${probePort}`,
    `--webhook-addr=127.0.0.1:${webhookPort}`,
    '--enable-leader-election=false',
  ])
}

async function startServer(common: Common): Promise<string> {
  const [port = 0, metricsPort = 0] = await freePorts(2)
  await startComponent(common, 'server', port, [
    `--kubeconfig=${common.kubeconfig}`,
    `--namespace=${ARGOCD_NAMESPACE}`,
    `--redis=${common.redis}`,
    `--repo-server=${common.repoServer}`,
    '--repo-server-plaintext',
    '--insecure',
    '--disable-auth',
    '--address=127.0.0.1',
    `--port=${port}`,
    '--metrics-address=127.0.0.1',
    `--metrics-port=${metricsPort}`,
  ])
  return `http://127.0.0.1:${port}`
}

async function startComponent(
  { supervisor, environment, command }: Common,
  component: string,
  port: number,
  args: readonly string[],
): Promise<void> {
  await supervisor.start({
    name: `argocd-${component}`,
    command,
    args,
    environment: { ...environment, ARGOCD_BINARY_NAME: `argocd-${component}` },
    ready: () => isListening(port),
  })
}
