/** RDS clusters with what matters of them, page by page. */
import {
  type DBCluster,
  paginateDescribeDBClusters,
  paginateDescribeDBInstances,
  type RDSClient,
} from '@aws-sdk/client-rds'
import type { DatabaseFacts } from '../../fleet/observed/cloud.ts'
import { toAwsError } from '../errors.ts'

const PAGE = 100

/** @throws FleetError `aws-unavailable`, `aws-refused` */
export async function* databases(
  client: RDSClient,
  pace: () => Promise<void>,
): AsyncIterable<readonly DatabaseFacts[]> {
  const open = await publicClusters(client, pace)
  try {
    for await (const { DBClusters = [] } of paginateDescribeDBClusters({ client, pageSize: PAGE }, {})) {
      yield DBClusters.flatMap((cluster) => factsOf(cluster, open))
      await pace()
    }
  } catch (error) {
    throw toAwsError(error, 'rds:DescribeDBClusters')
  }
}

/** Only instances say whether they can be reached from outside. */
async function publicClusters(client: RDSClient, pace: () => Promise<void>): Promise<ReadonlySet<string>> {
  const open = new Set<string>()
  try {
    for await (const { DBInstances = [] } of paginateDescribeDBInstances({ client, pageSize: PAGE }, {})) {
      for (const { DBClusterIdentifier, PubliclyAccessible } of DBInstances)
        if (DBClusterIdentifier !== undefined && PubliclyAccessible === true) open.add(DBClusterIdentifier)
      await pace()
    }
  } catch (error) {
    throw toAwsError(error, 'rds:DescribeDBInstances')
  }
  return open
}

function factsOf(cluster: DBCluster, open: ReadonlySet<string>): readonly DatabaseFacts[] {
  const { DBClusterIdentifier: name } = cluster
  if (name === undefined) return []
  return [
    {
      name,
      status: cluster.Status ?? 'unknown',
      version: cluster.EngineVersion ?? 'unknown',
      encrypted: cluster.StorageEncrypted === true,
      deletionProtection: cluster.DeletionProtection === true,
      public: cluster.PubliclyAccessible === true || open.has(name),
    },
  ]
}
