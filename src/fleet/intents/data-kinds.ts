/** Kinds of databases and file stores, and how installations share clusters. */

export type Affinity = 'isolated' | 'multitenant'

export const DATABASE_KINDS = [
  'aws-rds',
  'aws-rds-postgres',
  'aws-multitenant-rds',
  'aws-multitenant-rds-postgres',
  'aws-multitenant-rds-postgres-pgbouncer',
  'perseus',
  'mysql-operator',
  'external',
  'cloudnative-pg',
] as const
export type DatabaseKind = (typeof DATABASE_KINDS)[number]

export const FILESTORE_KINDS = [
  'aws-s3',
  'aws-multitenant-s3',
  'bifrost',
  'local-ephemeral',
  'minio-operator',
] as const
export type FilestoreKind = (typeof FILESTORE_KINDS)[number]
