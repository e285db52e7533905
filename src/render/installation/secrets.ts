/** ExternalSecrets: how values reach the cluster that git only refers to. */
import type { EnvValue, SecretReference } from '../../fleet/intents.ts'
import type { RenderInput } from './input.ts'
import { appOf, namespaceOf, shortHash } from './names.ts'

interface Store {
  readonly kind: 'ClusterSecretStore' | 'SecretStore'
  readonly name: string
}

export interface ExternalSecret {
  readonly name: string
  readonly store?: Store
  readonly data?: readonly object[]
  readonly dataFrom?: readonly object[]
  readonly templateData?: Readonly<Record<string, string>>
}

/** Secrets of the same namespace, which Crossplane and CloudNativePG make. */
export const IN_NAMESPACE: Store = { kind: 'SecretStore', name: 'in-namespace' }

export function backendStore({ settings }: RenderInput): Store {
  return { kind: 'ClusterSecretStore', name: settings.secretStore.name }
}

export function remoteReference({ settings }: RenderInput, { key, property }: SecretReference): object {
  return { key: `${settings.secretStore.keyPrefix}${key}`, ...(property === undefined ? {} : { property }) }
}

export function externalSecret(input: RenderInput, secret: ExternalSecret): string {
  return input.templates.render('installation/external-secret', {
    namespace: namespaceOf(input.installation),
    secretName: secret.name,
    store: secret.store ?? false,
    data: secret.data ?? false,
    dataFrom: secret.dataFrom ?? false,
    templateData: secret.templateData ?? false,
  })
}

/** What the installation's own secrets are: licence, environment, volumes. The names change with the keys. */
export function ownSecrets(input: RenderInput): readonly ExternalSecret[] {
  const { spec } = input.installation
  const store = backendStore(input)
  const secrets: ExternalSecret[] = []
  const licence = licenceSecretName(input)
  if (licence !== undefined && spec.licence !== undefined)
    secrets.push({
      name: licence,
      store,
      data: [{ secretKey: 'license', remoteRef: remoteReference(input, spec.licence) }],
    })
  const env = secretEnv(input)
  if (env.length > 0)
    secrets.push({
      name: envSecretName(input),
      store,
      data: env.map(([name, reference]) => ({
        secretKey: name,
        remoteRef: remoteReference(input, reference),
      })),
    })
  for (const [, volume] of sortedEntries(spec.volumes ?? {}))
    secrets.push({
      name: volume.backingSecret,
      store,
      dataFrom: [
        {
          extract: {
            ...remoteReference(input, volume.secret),
            ...(volume.encoding === 'base64' ? { decodingStrategy: 'Base64' } : {}),
          },
        },
      ],
    })
  return secrets
}

export function licenceSecretName({ installation }: RenderInput): string | undefined {
  const { licence } = installation.spec
  return licence === undefined ? undefined : `${appOf(installation)}-${shortHash(licence.key)}-license`
}

export function envSecretName(input: RenderInput): string {
  const keys = secretEnv(input).map(([name, { key, property }]) => `${name}=${key}#${property ?? ''}`)
  return `${appOf(input.installation)}-env-${shortHash(keys.join('\n'))}`
}

function secretEnv({ configuration }: RenderInput): readonly (readonly [string, SecretReference])[] {
  return sortedEntries(configuration.env).flatMap(([name, value]) =>
    isSecret(value) ? [[name, value.secret] as const] : [],
  )
}

export function isSecret(value: EnvValue): value is { readonly secret: SecretReference } {
  return 'secret' in value
}

/** Changes whenever a secret the pods read changes. */
export function secretsChecksum(input: RenderInput): string {
  const { spec } = input.installation
  const volumes = sortedEntries(spec.volumes ?? {}).map(([, volume]) => volume.secret.key)
  return shortHash(
    [spec.licence?.key ?? '', envSecretName(input), ...volumes, spec.database.externalSecretKey ?? ''].join(
      '\n',
    ),
  )
}

export function sortedEntries<Value>(
  map: Readonly<Record<string, Value>>,
): readonly (readonly [string, Value])[] {
  return Object.entries(map).sort(([a], [b]) => (a < b ? -1 : 1))
}
