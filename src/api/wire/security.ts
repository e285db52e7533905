/** Locks against changes through the API and against deletion. Who works on an object at the moment does not matter. */
import type { Transaction } from '../../fleet/transaction.ts'
import { lockCluster } from '../../fleet/transactions/clusters/clusters.ts'
import { requireCluster } from '../../fleet/transactions/clusters/common.ts'
import { lockGroup, requireGroup } from '../../fleet/transactions/groups/groups.ts'
import { requireInstallation } from '../../fleet/transactions/installations/common.ts'
import {
  lockClusterInstallation,
  lockInstallation,
  requireClusterInstallation,
} from '../../fleet/transactions/installations/lifecycle.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { empty, type Route } from '../routes.ts'

interface Lockable {
  readonly path: string
  readonly name: string
  readonly require: (context: HandlerContext) => unknown
  readonly transaction: (context: HandlerContext, locked: boolean) => Transaction<unknown>
}

export function securityRoutes({ writer }: Parts): readonly Route[] {
  const lockables: readonly Lockable[] = [
    {
      path: '/api/security/cluster/{id}/api',
      name: 'Cluster',
      require: (context) => requireCluster(writer.fleet, context.id()),
      transaction: (context, locked) => lockCluster({ id: context.id(), locked }),
    },
    {
      path: '/api/security/group/{id}/api',
      name: 'Group',
      require: (context) => requireGroup(writer.fleet, context.id()),
      transaction: (context, locked) => lockGroup({ id: context.id(), locked }),
    },
    {
      path: '/api/security/installation/{id}/api',
      name: 'Installation',
      require: (context) => requireInstallation(writer.fleet, context.id()),
      transaction: (context, locked) => lockInstallation({ id: context.id(), lock: 'apiLocked', locked }),
    },
    {
      path: '/api/security/cluster_installation/{id}/api',
      name: 'ClusterInstallation',
      require: (context) => requireClusterInstallation(writer.fleet, context.id()),
      transaction: (context, locked) => lockClusterInstallation({ id: context.id(), locked }),
    },
    {
      path: '/api/security/installation/{id}/deletion',
      name: 'InstallationDeletion',
      require: (context) => requireInstallation(writer.fleet, context.id()),
      transaction: (context, locked) =>
        lockInstallation({ id: context.id(), lock: 'deletionLocked', locked }),
    },
  ]
  return lockables.flatMap((lockable) =>
    [true, false].map((locked): Route => {
      const verb = locked ? 'lock' : 'unlock'
      return {
        method: 'POST',
        path: `${lockable.path}/${verb}`,
        operationId: `${verb}${lockable.name}`,
        summary: `${locked ? 'Lock' : 'Unlock'} (${lockable.name})`,
        role: 'writer',
        wire: true,
        responses: { 200: { description: 'Done', schema: null } },
        replay: () => empty(200),
        async handler(context) {
          lockable.require(context)
          return await context.submit({
            transaction: lockable.transaction(context, locked),
            answer: () => empty(200),
          })
        },
      }
    }),
  )
}
