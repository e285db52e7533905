/** The Mattermost resource, fully specified: the operator has nothing to fill in, so nothing drifts. */
import { FleetError } from '../../fleet/errors.ts'
import {
  GENERATION_ANNOTATION,
  GROUP_SEQUENCE_ANNOTATION,
  LEAVING_ANNOTATION,
} from '../../fleet/observed/mattermost.ts'
import { sizeOf } from '../../fleet/sizes.ts'
import type { RenderedDatabase } from './database.ts'
import type { RenderedFilestore } from './filestore.ts'
import type { RenderInput } from './input.ts'
import { appOf, namespaceOf, volumeName } from './names.ts'
import { envSecretName, isSecret, licenceSecretName, secretsChecksum, sortedEntries } from './secrets.ts'

/** Version `stable` means what the operator runs by default; written out, so that it does not fill it in. */
const OPERATOR_VERSION = '10.8.1'

export function renderMattermost(
  input: RenderInput,
  database: RenderedDatabase,
  filestore: RenderedFilestore,
): string {
  const { installation, configuration, settings, cluster, templates } = input
  const { spec } = installation
  const size = sizeOf(spec.size)
  if (size === undefined)
    throw new FleetError(
      'invalid-document',
      `Installation ${installation.metadata.id} has the unknown size ${spec.size}.`,
    )
  const names = spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
  const host = (names.find(({ primary }) => primary === true) ?? names[0])?.name ?? ''
  const hibernated = spec.hibernated === true
  const labels = labelsOf(input)
  const volumes = sortedEntries(spec.volumes ?? {})
  const hosts = [
    host,
    ...names
      .map(({ name }) => name)
      .filter((name) => name !== host)
      .sort(),
  ]
  return templates.render('installation/mattermost', {
    app: appOf(installation),
    namespace: namespaceOf(installation),
    labels: groupLabels(input),
    annotations: progressAnnotations(input),
    image: configuration.image,
    version: configuration.version === 'stable' ? OPERATOR_VERSION : configuration.version,
    replicas: hibernated ? 0 : size.replicas,
    licenceSecret: licenceSecretName(input) ?? false,
    env: envOf(input, filestore),
    host,
    hosts: hosts.map((hostName) => ({ hostName })),
    ingressClass: cluster.spec.ingress?.className ?? settings.defaults.ingressClass,
    tlsSecret: `${appOf(installation)}-tls`,
    ingressAnnotations: ingressAnnotations(input, hosts),
    resourceLabels: { ...labels, state: hibernated ? 'hibernated' : 'running' },
    ndots: String(settings.defaults.ndots),
    resources: { limits: size.limits, requests: size.requests },
    affinity: antiAffinity(input, labels),
    nodeSelector: present(configuration.scheduling.nodeSelector),
    tolerations: present(configuration.scheduling.tolerations),
    databaseSecret: database.secretName,
    fileStore: filestore.fileStore,
    volumes:
      volumes.length === 0
        ? false
        : volumes.map(([name, { backingSecret }]) => ({
            name: volumeName(name),
            secret: { secretName: backingSecret },
          })),
    volumeMounts: volumes.map(([name, { mountPath, readOnly }]) => ({
      name: volumeName(name),
      mountPath,
      readOnly,
    })),
    probes: probesOf(input),
    secretsChecksum: secretsChecksum(input),
    command: present(spec.command),
  })
}

/** Tell an observer which operation, and which configuration of the group, the live object belongs to. */
function progressAnnotations({ installation, phase }: RenderInput): Readonly<Record<string, string>> {
  const { operation, group, groupSequence } = installation.spec
  return {
    [GENERATION_ANNOTATION]: String(operation.generation),
    ...(typeof group === 'string' && groupSequence !== undefined
      ? { [GROUP_SEQUENCE_ANNOTATION]: String(groupSequence) }
      : {}),
    ...(phase === 'leaving' ? { [LEAVING_ANNOTATION]: 'true' } : {}),
  }
}

function labelsOf({ installation, cluster }: RenderInput): Readonly<Record<string, string>> {
  const active = installation.spec.clusterInstallations?.find(
    (found) => found.active && found.cluster === cluster.metadata.name,
  )
  return {
    'installation-id': installation.metadata.id,
    ...(active === undefined ? {} : { 'cluster-installation-id': active.id }),
    dns: `${cluster.metadata.name}-public`,
  }
}

function groupLabels(input: RenderInput): Readonly<Record<string, string>> {
  const { group } = input.configuration
  const sequence = input.installation.spec.groupSequence
  return {
    ...labelsOf(input),
    ...(group === undefined ? {} : { 'group-id': group.metadata.id }),
    ...(group === undefined || sequence === undefined ? {} : { 'group-sequence': String(sequence) }),
  }
}

/** Fixed variables win over the priority ones, those over the group's, those over the installation's own. */
function envOf(input: RenderInput, filestore: RenderedFilestore): readonly object[] {
  const { installation, configuration } = input
  const fixed: Readonly<Record<string, string>> = {
    ...filestore.env,
    MM_CLOUD_INSTALLATION_ID: installation.metadata.id,
    MM_SERVICESETTINGS_ENABLELOCALMODE: 'true',
    ...(configuration.group === undefined ? {} : { MM_CLOUD_GROUP_ID: configuration.group.metadata.id }),
  }
  const secretName = envSecretName(input)
  const given = Object.entries(configuration.env)
    .filter(([name]) => !Object.hasOwn(fixed, name))
    .map(([name, value]) => {
      if (isSecret(value)) return { name, valueFrom: { secretKeyRef: { name: secretName, key: name } } }
      return 'value' in value ? { name, value: value.value } : { name, valueFrom: value.valueFrom }
    })
  return [...given, ...Object.entries(fixed).map(([name, value]) => ({ name, value }))].sort((a, b) =>
    a.name < b.name ? -1 : 1,
  )
}

function ingressAnnotations(
  { installation, settings }: RenderInput,
  hosts: readonly string[],
): Readonly<Record<string, string>> {
  const dns: Readonly<Record<string, string>> =
    settings.dns.provider === 'external-dns'
      ? {
          'external-dns.alpha.kubernetes.io/hostname': hosts.join(','),
          'external-dns.alpha.kubernetes.io/ttl': String(settings.dns.ttlSeconds),
        }
      : {}
  const { allowedIpRanges = [], hibernated } = installation.spec
  // Snippets are dropped by the operator; a range nobody has answers 403 while nothing runs. The certificate stays.
  if (hibernated === true)
    return {
      ...dns,
      'kubernetes.io/tls-acme': 'true',
      'nginx.ingress.kubernetes.io/whitelist-source-range': '127.0.0.1/32',
    }
  const enabled = allowedIpRanges.filter((range) => range.enabled).map(({ cidrBlock }) => cidrBlock)
  const ranges = enabled.length === 0 ? [] : [...new Set([...enabled, ...(settings.internalIpRanges ?? [])])]
  return {
    ...dns,
    'kubernetes.io/tls-acme': 'true',
    'nginx.ingress.kubernetes.io/custom-http-errors': '403',
    'nginx.ingress.kubernetes.io/proxy-body-size': '100m',
    'nginx.ingress.kubernetes.io/proxy-buffering': 'on',
    'nginx.ingress.kubernetes.io/proxy-max-temp-file-size': '0',
    'nginx.ingress.kubernetes.io/proxy-read-timeout': '600',
    'nginx.ingress.kubernetes.io/proxy-send-timeout': '600',
    'nginx.ingress.kubernetes.io/ssl-redirect': 'true',
    ...(ranges.length === 0
      ? {}
      : { 'nginx.ingress.kubernetes.io/whitelist-source-range': ranges.join(',') }),
  }
}

function antiAffinity({ installation }: RenderInput, matchLabels: Readonly<Record<string, string>>): object {
  const term = (topologyKey: string): object => ({
    weight: 100,
    podAffinityTerm: { topologyKey, namespaces: [namespaceOf(installation)], labelSelector: { matchLabels } },
  })
  const terms = [term('kubernetes.io/hostname'), term('topology.kubernetes.io/zone')]
  return { podAntiAffinity: { preferredDuringSchedulingIgnoredDuringExecution: terms } }
}

function probesOf({ installation, settings }: RenderInput): object | false {
  const own = installation.spec.podProbeOverrides
  const livenessProbe = { ...settings.probes?.liveness, ...own?.liveness }
  const readinessProbe = { ...settings.probes?.readiness, ...own?.readiness }
  if (Object.keys(livenessProbe).length + Object.keys(readinessProbe).length === 0) return false
  return { livenessProbe, readinessProbe }
}

/** Templates take `false` for what is not there. */
function present<Value extends object>(value: Value | undefined): Value | false {
  return value === undefined || Object.keys(value).length === 0 ? false : value
}
