/** The database of an installation, and the secret with its connection string. */
import { awsNameOf } from '../../fleet/aws-names.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { RenderInput } from './input.ts'
import { protectionOf, requireAws, tagsOf } from './input.ts'
import { appOf, namespaceOf } from './names.ts'
import { backendStore, externalSecret, IN_NAMESPACE, remoteReference } from './secrets.ts'

const OPTIONS = 'connect_timeout=10&sslmode=require'

export interface RenderedDatabase {
  readonly documents: readonly string[]
  readonly secretName: string
  /** Whether secrets of the namespace have to be read to make the connection string. */
  readonly readsNamespace: boolean
}

/** @throws FleetError `not-implemented` for kinds the template set does not have */
export function renderDatabase(input: RenderInput): RenderedDatabase {
  const secretName = `${appOf(input.installation)}-database`
  const { kind } = input.installation.spec.database
  switch (kind) {
    case 'cloudnative-pg':
      return { documents: cloudNative(input, secretName), secretName, readsNamespace: true }
    case 'aws-rds-postgres':
      return { documents: ownCluster(input, secretName), secretName, readsNamespace: true }
    case 'aws-multitenant-rds-postgres':
    case 'aws-multitenant-rds-postgres-pgbouncer':
      return { documents: shared(input, secretName), secretName, readsNamespace: true }
    case 'external':
      return { documents: [external(input, secretName)], secretName, readsNamespace: false }
    default:
      throw new FleetError(
        'not-implemented',
        `Template set ${input.templates.name} has no database of kind ${kind}.`,
      )
  }
}

function cloudNative(input: RenderInput, secretName: string): readonly string[] {
  const name = databaseNameOf(input)
  const url = `postgres://{{ .username }}:{{ .password | urlquery }}@{{ .host }}:{{ .port }}/{{ .dbname }}?${OPTIONS}`
  return [cloudNativeCluster(input), connection(input, secretName, `${name}-app`, url, url)]
}

/** The database itself, without what connects to it. */
export function cloudNativeCluster(input: RenderInput): string {
  const { installation, templates, phase } = input
  return templates.render('installation/database/cloudnative-pg', {
    id: installation.metadata.id,
    namespace: namespaceOf(installation),
    databaseName: databaseNameOf(input),
    databaseHibernation: installation.spec.hibernated === true || phase === 'emptied' ? 'on' : 'off',
    databaseInstances: 1,
    ...protectionOf(input, 'database'),
  })
}

export function databaseNameOf({ installation }: RenderInput): string {
  return `${appOf(installation)}-pg`
}

function ownCluster(input: RenderInput, secretName: string): readonly string[] {
  const aws = requireAws(input)
  const { installation, templates, settings } = input
  const { single } = installation.spec.database
  const awsName = awsNameOf(installation)
  const primary = single?.primaryInstanceType ?? 'db.t4g.medium'
  const replicas = Array.from({ length: single?.replicasCount ?? 0 }, (_, at) => ({
    name: `${awsName}-replica-${at}`,
    instanceClass: single?.replicaInstanceType ?? primary,
  }))
  const connectionSecret = `${appOf(installation)}-rds-connection`
  const document = templates.render('installation/database/aws-rds-postgres', {
    namespace: namespaceOf(installation),
    awsName,
    region: aws.region,
    keyDescription: `Database of installation ${installation.metadata.id}`,
    tags: tagsOf(input),
    providerConfig: aws.providerConfig,
    subnetIds: aws.databaseSubnetGroup.subnetIds,
    engineVersion: aws.auroraPostgresqlVersion,
    masterSecret: `${appOf(installation)}-rds-master`,
    // The database outlives the cluster that made its password.
    masterKey: `${settings.secretStore.keyPrefix}installations/${installation.metadata.id}/rds-master`,
    secretStore: settings.secretStore.name,
    finalSnapshot: `${awsName}-final`,
    securityGroupIds: aws.databaseSecurityGroupIds,
    connectionSecret,
    instances: [{ name: `${awsName}-master`, instanceClass: primary }, ...replicas],
    ...protectionOf(input, 'database'),
  })
  const login = '{{ .master_username }}:{{ index . "attribute.master_password" | urlquery }}'
  const url = (host: string): string => `postgres://${login}@{{ .${host} }}:{{ .port }}/mattermost?${OPTIONS}`
  return [document, connection(input, secretName, connectionSecret, url('endpoint'), url('reader_endpoint'))]
}

function shared(input: RenderInput, secretName: string): readonly string[] {
  const { fleet, installation, templates } = input
  const assigned = installation.spec.database.shared
  const database = assigned === undefined ? undefined : fleet.database(assigned.database)
  if (assigned === undefined || database === undefined)
    throw new FleetError(
      'invalid-document',
      `Installation ${installation.metadata.id} has no shared database; set spec.database.shared.`,
    )
  const { id } = installation.metadata
  const user = assigned.schema === undefined ? `user_${id}` : `id_${id}`
  const connectionSecret = `${appOf(installation)}-sql-connection`
  const document = templates.render('installation/database/shared', {
    namespace: namespaceOf(installation),
    sqlRole: awsNameOf(installation),
    sqlUser: user,
    connectionSecret,
    sharedDatabase: assigned.database,
    ownDatabase: assigned.schema === undefined,
    logicalDatabase: assigned.logicalDatabase,
    schema: assigned.schema ?? false,
    ...protectionOf(input, 'database'),
  })
  const login = '{{ .username }}:{{ .password | urlquery }}'
  if (assigned.schema !== undefined) {
    const url = (name: string): string =>
      `postgres://${login}@pgbouncer.pgbouncer.svc.cluster.local:5432/${name}?connect_timeout=10&sslmode=disable&binary_parameters=yes`
    return [
      document,
      connection(
        input,
        secretName,
        connectionSecret,
        url(assigned.logicalDatabase),
        url(`${assigned.logicalDatabase}-ro`),
      ),
    ]
  }
  const { writerEndpoint, readerEndpoint, port } = database.spec
  const url = (host: string): string =>
    `postgres://${login}@${host}:${port}/${assigned.logicalDatabase}?${OPTIONS}`
  return [
    document,
    connection(
      input,
      secretName,
      connectionSecret,
      url(writerEndpoint),
      url(readerEndpoint ?? writerEndpoint),
    ),
  ]
}

function connection(input: RenderInput, name: string, from: string, writer: string, reader: string): string {
  return externalSecret(input, {
    name,
    store: IN_NAMESPACE,
    dataFrom: [{ extract: { key: from } }],
    templateData: {
      DB_CONNECTION_CHECK_URL: writer,
      DB_CONNECTION_STRING: writer,
      MM_SQLSETTINGS_DATASOURCEREPLICAS: reader,
    },
  })
}

function external(input: RenderInput, name: string): string {
  const key = input.installation.spec.database.externalSecretKey
  if (key === undefined)
    throw new FleetError(
      'invalid-document',
      `Installation ${input.installation.metadata.id} has an external database without its secret; set spec.database.externalSecretKey.`,
    )
  return externalSecret(input, {
    name,
    store: backendStore(input),
    dataFrom: [{ extract: remoteReference(input, { key }) }],
  })
}
