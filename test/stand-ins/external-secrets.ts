/**
 * Stand-in for External Secrets (v2): an ExternalSecret becomes a Secret, from a Secret of the same namespace (`SecretStore`), from the
 * values it is given (`ClusterSecretStore`), or from the Password generator; templates as far as Fleetwright renders them.
 */
import { randomBytes } from 'node:crypto'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { conditionsWith } from './conditions.ts'
import { type Behaviour, type StandIn, startController } from './controller.ts'
import { fillTemplate } from './external-secrets/template.ts'

const GROUP = '/apis/external-secrets.io/v1'
/** The real one waits for its back-off; somebody who tests does not want to. */
const RETRY = 500

type Values = Readonly<Record<string, string>>

interface RemoteReference {
  readonly key: string
  readonly property?: string
}

export interface ExternalSecret extends KubernetesObject {
  readonly spec: {
    readonly secretStoreRef?: { readonly kind?: string; readonly name?: string }
    readonly target?: {
      readonly name?: string
      readonly template?: { readonly type?: string; readonly data?: Values }
    }
    readonly data?: readonly { readonly secretKey: string; readonly remoteRef: RemoteReference }[]
    readonly dataFrom?: readonly {
      readonly extract?: RemoteReference
      readonly sourceRef?: { readonly generatorRef?: { readonly kind: string; readonly name: string } }
      readonly rewrite?: readonly object[]
    }[]
  }
  readonly status?: { readonly conditions?: readonly object[]; readonly syncedResourceVersion?: string }
}

export interface ExternalSecretsOptions {
  readonly api: KubernetesApi
  /** What the backend of a ClusterSecretStore holds under a key: text, or JSON text with properties. */
  readonly backend?: (store: string, key: string) => Promise<string | undefined>
  readonly onError?: (key: string, error: unknown) => void
}

export function startExternalSecrets(options: ExternalSecretsOptions): StandIn {
  const secrets = startSecrets(options)
  const stores = startStores(options)
  return {
    behave(behaviour, key) {
      secrets.behave(behaviour, key)
      stores.behave(behaviour, key)
    },
    async close() {
      await Promise.all([secrets.close(), stores.close()])
    },
  }
}

interface SecretStore extends KubernetesObject {
  readonly status?: { readonly conditions?: readonly object[] }
}

/** Every store is found valid: Argo CD waits for that. */
function startStores({ api, onError }: ExternalSecretsOptions): StandIn {
  return startController<SecretStore>({
    api,
    path: `${GROUP}/secretstores`,
    reconcile: async ({ metadata, status }, { failure }) => {
      const ready =
        failure === undefined
          ? ({ type: 'Ready', status: 'True', reason: 'Valid', message: 'store validated' } as const)
          : ({ type: 'Ready', status: 'False', reason: 'InvalidProviderConfig', message: failure } as const)
      const path = `${GROUP}/namespaces/${metadata.namespace}/secretstores/${metadata.name}`
      await api.patch(`${path}/status?fieldManager=external-secrets`, {
        status: { capabilities: 'ReadOnly', conditions: conditionsWith(status?.conditions, [ready]) },
      })
      return undefined
    },
    ...(onError === undefined ? {} : { onError }),
  })
}

function startSecrets(options: ExternalSecretsOptions): StandIn {
  const { api } = options
  return startController<ExternalSecret>({
    api,
    path: `${GROUP}/externalsecrets`,
    reconcile: async (external, behaviour) => {
      if (external.metadata.deletionTimestamp !== undefined) return undefined
      try {
        if (behaviour.failure !== undefined) throw new Error(behaviour.failure)
        await writeSecret(api, external, await valuesOf(options, external))
        await report(api, external, behaviour, 'secret synced')
        return undefined
      } catch (error) {
        await report(api, external, behaviour, error instanceof Error ? error.message : String(error), true)
        return RETRY
      }
    },
    ...(options.onError === undefined ? {} : { onError: options.onError }),
  })
}

/** What goes into the Secret. @throws Error in the operator's manner when something is not there */
async function valuesOf(options: ExternalSecretsOptions, external: ExternalSecret): Promise<Values> {
  const { spec, metadata } = external
  const values: Record<string, string> = {}
  for (const { extract, sourceRef } of spec.dataFrom ?? []) {
    if (extract !== undefined) Object.assign(values, await extractAll(options, external, extract))
    if (sourceRef?.generatorRef !== undefined)
      Object.assign(values, await generate(options.api, external, sourceRef.generatorRef))
  }
  for (const { secretKey, remoteRef } of spec.data ?? [])
    values[secretKey] = await readOne(options, external, remoteRef)
  const template = spec.target?.template?.data
  if (template === undefined) return values
  return Object.fromEntries(
    Object.entries(template).map(([key, text]) => [
      key,
      fillTemplate(text, values, `${metadata.name}: ${key}`),
    ]),
  )
}

async function extractAll(
  options: ExternalSecretsOptions,
  external: ExternalSecret,
  reference: RemoteReference,
): Promise<Values> {
  if (readsNamespace(external)) return await readNamespace(options.api, external, reference.key)
  const parsed: unknown = JSON.parse(await readBackend(options, external, reference.key))
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`${reference.key} holds no properties`)
  return Object.fromEntries(Object.entries(parsed).map(([key, value]) => [key, String(value)]))
}

async function readOne(
  options: ExternalSecretsOptions,
  external: ExternalSecret,
  reference: RemoteReference,
): Promise<string> {
  const { key, property } = reference
  if (property === undefined && !readsNamespace(external)) return await readBackend(options, external, key)
  const value = (await extractAll(options, external, reference))[property ?? '']
  if (value === undefined) throw new Error(`property ${property} does not exist in ${key}`)
  return value
}

function readsNamespace({ spec }: ExternalSecret): boolean {
  return spec.secretStoreRef?.kind !== 'ClusterSecretStore'
}

async function readBackend(
  { backend }: ExternalSecretsOptions,
  { spec }: ExternalSecret,
  key: string,
): Promise<string> {
  const value = await backend?.(spec.secretStoreRef?.name ?? '', key)
  if (value === undefined) throw new Error(`Secret does not exist: ${key}`)
  return value
}

interface Secret extends KubernetesObject {
  readonly data?: Values
}

async function readNamespace(
  api: KubernetesApi,
  { metadata }: ExternalSecret,
  name: string,
): Promise<Values> {
  const secret = await api.get<Secret>(`/api/v1/namespaces/${metadata.namespace}/secrets/${name}`)
  if (secret === undefined) throw new Error(`secrets "${name}" not found`)
  return decoded(secret)
}

/** Asked once: what was generated before stays. */
async function generate(
  api: KubernetesApi,
  external: ExternalSecret,
  generator: { readonly kind: string; readonly name: string },
): Promise<Values> {
  if (generator.kind !== 'Password') throw new Error(`no generator ${generator.kind}`)
  const { namespace, name } = external.metadata
  const path = `/apis/generators.external-secrets.io/v1alpha1/namespaces/${namespace}/passwords/${generator.name}`
  interface Password extends KubernetesObject {
    readonly spec: { readonly length?: number }
  }
  const password = await api.get<Password>(path)
  if (password === undefined) throw new Error(`passwords "${generator.name}" not found`)
  const target = external.spec.target?.name ?? name
  const before = await api.get<Secret>(`/api/v1/namespaces/${namespace}/secrets/${target}`)
  const { length = 24 } = password.spec
  return { password: decoded(before).password ?? randomBytes(length).toString('hex').slice(0, length) }
}

function decoded(secret: Secret | undefined): Values {
  const entries = Object.entries(secret?.data ?? {})
  return Object.fromEntries(
    entries.map(([key, value]) => [key, Buffer.from(value, 'base64').toString('utf8')]),
  )
}

async function writeSecret(api: KubernetesApi, external: ExternalSecret, values: Values): Promise<void> {
  const { apiVersion, kind, metadata, spec } = external
  const { name, namespace = 'default', uid = '' } = metadata
  const secret: KubernetesObject = {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: {
      name: spec.target?.name ?? name,
      namespace,
      labels: { 'reconcile.external-secrets.io/managed': 'true' },
      ownerReferences: [{ apiVersion, kind, name, uid, controller: true }],
    },
    type: spec.target?.template?.type ?? 'Opaque',
    stringData: values,
  }
  await api.apply(secret, 'external-secrets')
}

async function report(
  api: KubernetesApi,
  { metadata, status }: ExternalSecret,
  behaviour: Behaviour,
  message: string,
  failed = false,
): Promise<void> {
  const { generation = 1 } = metadata
  const condition = {
    type: 'Ready',
    status: failed ? 'False' : 'True',
    reason: failed ? 'SecretSyncedError' : 'SecretSynced',
    message,
  } as const
  const seen = behaviour.staleGeneration ? generation - 1 : generation
  const conditions = conditionsWith(status?.conditions, [condition])
  const path = `${GROUP}/namespaces/${metadata.namespace}/externalsecrets/${metadata.name}`
  await api.patch(`${path}/status?fieldManager=external-secrets`, {
    status: {
      conditions,
      ...(failed ? {} : { syncedResourceVersion: `${seen}-${metadata.uid ?? ''}` }),
    },
  })
}
