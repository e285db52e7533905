/** An RDS cluster that installations share. */
import type { Id } from '../ids.ts'
import type { API_VERSION, Metadata, Timestamp } from './common.ts'
import type { DatabaseKind } from './data-kinds.ts'

export interface SharedDatabase {
  readonly apiVersion: typeof API_VERSION
  readonly kind: 'SharedDatabase'
  readonly metadata: Metadata
  readonly spec: {
    readonly databaseKind: DatabaseKind
    readonly rdsClusterId: string
    readonly vpc: string
    readonly writerEndpoint: string
    readonly readerEndpoint?: string
    readonly port: number
    /** Secret-backend key with the administrator's credentials (properties username, password), for provider-sql. */
    readonly adminSecretKey: string
    readonly maxInstallations?: number
    readonly maxInstallationsPerLogicalDatabase?: number
    readonly logicalDatabases?: readonly {
      readonly id: Id
      readonly name: string
      readonly createdAt: Timestamp
      readonly deletedAt?: Timestamp
    }[]
  }
}
