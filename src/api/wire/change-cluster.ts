import type { Cluster } from '../../fleet/intents.ts'
import type { Transaction } from '../../fleet/transaction.ts'
import { requireCluster } from '../../fleet/transactions/clusters/common.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { type Answer, json } from '../routes.ts'
import { clusterView } from '../views/cluster.ts'

/** Commits a change of the cluster of the path, unless there is none or somebody works on it. */
export async function changeCluster(
  parts: Parts,
  context: HandlerContext,
  transaction: Transaction<Cluster>,
  answer: (cluster: Cluster) => Answer = (cluster) => json(202, clusterView(parts, cluster)),
): Promise<Answer> {
  requireCluster(parts.writer.fleet, context.id())
  requireFree(parts.leases, 'cluster', context.id())
  return await context.submit({ transaction, answer })
}
