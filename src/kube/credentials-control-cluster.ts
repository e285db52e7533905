/** Secrets on the control cluster: a kubeconfig, or as Argo CD keeps clusters. Read one by one, by name. */
import { createHash } from 'node:crypto'
import { FleetError, isFleetError } from '../fleet/errors.ts'
import { isJsonObject, textAt } from '../fleet/observed/json.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'
import {
  type ClusterApi,
  type ClusterCredentials,
  type ClusterName,
  CONTROL_CLUSTER,
} from '../ports/clusters.ts'
import { argoCdAccess } from './argocd-cluster-secret.ts'

const SECRET: ResourceKind = { group: '', version: 'v1', kind: 'Secret', plural: 'secrets', namespaced: true }
/** Flux calls it `value`. */
const KUBECONFIG_KEYS = ['kubeconfig', 'value', 'value.yaml']
/** Of objects in Kubernetes. */
const NAME = /^[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?$/

export interface ControlClusterCredentialsOptions {
  readonly control: () => Pick<ClusterApi, 'get'>
  readonly namespace: string
  /** Name of a cluster's Secret. */
  readonly secretOf: (cluster: ClusterName) => string
  /** For Secrets that name an EKS cluster: they do not say where it is. */
  readonly region: () => string | undefined
}

/** @throws FleetError as `CredentialSource.read`; none shows a value of a Secret */
export function createControlClusterReader(
  options: ControlClusterCredentialsOptions,
): (cluster: ClusterName) => Promise<ClusterCredentials> {
  const { control, namespace, secretOf, region } = options
  return async (cluster) => {
    if (cluster === CONTROL_CLUSTER)
      throw new FleetError('credentials-missing', 'The control cluster does not hold its own credentials')
    const name = secretOf(cluster)
    const where = `Secret ${namespace}/${name} of the control cluster`
    const secret = NAME.test(name) ? await read(control(), namespace, name, where) : undefined
    if (secret === undefined) throw new FleetError('credentials-missing', `There is no ${where}`)
    return credentialsOf(secret, where, region)
  }
}

async function read(
  control: Pick<ClusterApi, 'get'>,
  namespace: string,
  name: string,
  where: string,
): Promise<LiveObject | undefined> {
  try {
    return await control.get(SECRET, namespace, name)
  } catch (error) {
    if (!isFleetError(error)) throw error
    const code = error.code === 'cluster-forbidden' ? 'credentials-invalid' : 'credentials-unavailable'
    throw new FleetError(code, `The ${where} cannot be read: ${error.message}`)
  }
}

function credentialsOf(
  secret: LiveObject,
  where: string,
  region: ControlClusterCredentialsOptions['region'],
): ClusterCredentials {
  const key = KUBECONFIG_KEYS.find((name) => value(secret, name) !== undefined)
  const kubeconfig = key === undefined ? undefined : value(secret, key)
  if (kubeconfig !== undefined) return versioned(kubeconfig)
  const [server, config] = [value(secret, 'server'), value(secret, 'config')]
  if (server === undefined || config === undefined)
    throw new FleetError(
      'credentials-invalid',
      `The ${where} has neither a key kubeconfig nor server and config`,
    )
  const access = argoCdAccess(server, config)
  if ('kubeconfig' in access) return versioned(access.kubeconfig)
  const there = region()
  if (there === undefined)
    throw new FleetError('credentials-invalid', `The ${where} names an EKS cluster; set aws-region`)
  return { source: 'eks', region: there, ...access.eks }
}

function value(secret: LiveObject, key: string): string | undefined {
  const encoded = isJsonObject(secret.data) ? textAt(secret.data, key) : undefined
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString('utf8')
}

/** A kubeconfig with what tells it from another one. */
export function versioned(text: string): ClusterCredentials {
  return { source: 'kubeconfig', text, version: createHash('sha256').update(text).digest('hex').slice(0, 16) }
}
