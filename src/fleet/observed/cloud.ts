/** What of AWS an installation or cluster needs, and the health of it from what AWS says (reference: operator-and-crossplane §5). */
import { awsNameOf } from '../aws-names.ts'
import type { Fleet } from '../fleet.ts'
import type { Cluster, Installation } from '../intents.ts'
import { awsStatusHealth } from './crossplane.ts'
import { type HealthReport, report } from './health.ts'

export const CLOUD_KINDS = ['AWS RDS cluster', 'AWS S3 bucket', 'AWS EKS cluster'] as const
export type CloudKind = (typeof CLOUD_KINDS)[number]

export interface CloudResource {
  readonly kind: CloudKind
  readonly name: string
}

export interface DatabaseFacts {
  readonly name: string
  /** In the words of RDS, for example `available`. */
  readonly status: string
  readonly version: string
  readonly encrypted: boolean
  readonly deletionProtection: boolean
  /** Reached from outside its network, by the cluster or one of its instances. */
  readonly public: boolean
}

export interface BucketFacts {
  readonly encrypted: boolean
  /** All four ways of public access are blocked. */
  readonly publicAccessBlocked: boolean
  readonly versioned: boolean
}

export interface KubernetesFacts {
  /** In the words of EKS, for example `ACTIVE`. */
  readonly status: string
  readonly version: string
  /** Codes of what EKS finds wrong. */
  readonly issues: readonly string[]
}

/** Its own ones, and those that it shares with others. */
export function cloudResourcesOf(
  fleet: Pick<Fleet, 'database'>,
  installation: Installation,
): readonly CloudResource[] {
  const names = [
    ['AWS RDS cluster', databaseOf(fleet, installation)],
    ['AWS S3 bucket', bucketOf(installation)],
  ] as const
  return names.flatMap(([kind, name]) => (name === undefined ? [] : [{ kind, name }]))
}

function databaseOf(fleet: Pick<Fleet, 'database'>, installation: Installation): string | undefined {
  const { kind, shared } = installation.spec.database
  if (kind === 'aws-rds' || kind === 'aws-rds-postgres') return awsNameOf(installation)
  return shared === undefined ? undefined : fleet.database(shared.database)?.spec.rdsClusterId
}

function bucketOf(installation: Installation): string | undefined {
  const { kind, bucket } = installation.spec.filestore
  if (kind === 'aws-s3') return bucket ?? awsNameOf(installation)
  return kind === 'aws-multitenant-s3' || kind === 'bifrost' ? bucket : undefined
}

export function cloudResourcesOfCluster({ metadata, spec }: Cluster): readonly CloudResource[] {
  return spec.provisioner === 'eks' && metadata.deletedAt === undefined
    ? [{ kind: 'AWS EKS cluster', name: metadata.name }]
    : []
}

export function databaseHealth(facts: DatabaseFacts): HealthReport {
  const wrong = [
    ...(facts.encrypted ? [] : [['NotEncrypted', 'its storage is not encrypted'] as const]),
    ...(facts.deletionProtection ? [] : [['NotProtected', 'it is not protected against deletion'] as const]),
    ...(facts.public ? [['Public', 'it can be reached from outside its network'] as const] : []),
  ]
  return (
    broken(wrong) ?? awsStatusHealth('database', facts.status, `${facts.status}, version ${facts.version}`)
  )
}

export function bucketHealth(facts: BucketFacts): HealthReport {
  const wrong = [
    ...(facts.publicAccessBlocked ? [] : [['Public', 'public access to it is not blocked'] as const]),
    ...(facts.encrypted ? [] : [['NotEncrypted', 'it is not encrypted'] as const]),
  ]
  const versions = facts.versioned ? 'old versions are kept' : 'old versions are not kept'
  return broken(wrong) ?? report('healthy', 'Available', `encrypted, not public; ${versions}`)
}

export function kubernetesHealth(facts: KubernetesFacts): HealthReport {
  const { status, version, issues } = facts
  if (issues.length > 0) return report('degraded', 'HasIssues', `EKS finds ${issues.join(', ')}`)
  return awsStatusHealth('cluster', status, `${status}, version ${version}`)
}

/** @param where for people, for example `us-east-1` */
export function absentHealth({ kind, name }: CloudResource, where: string): HealthReport {
  return report('missing', 'NotFound', `There is no ${kind} ${name} in ${where}`)
}

/** What cannot be asked may be there or not. */
export function unaskedHealth(detail: string): HealthReport {
  return report('unknown', 'NotAsked', detail)
}

/** The first names the report; all are told. */
function broken(wrong: readonly (readonly [string, string])[]): HealthReport | undefined {
  const [first] = wrong
  if (first === undefined) return undefined
  return report('degraded', first[0], wrong.map(([, words]) => words).join('; '))
}
