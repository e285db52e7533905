import { test } from 'tap'
import type { ClusterOperation, InstallationOperation } from '../../src/fleet/intents.ts'
import {
  clusterInstallationState,
  clusterState,
  installationState,
  mayRequestOnCluster,
  mayRequestOnInstallation,
} from '../../src/fleet/state.ts'
import { CREATED_AT, cluster, id, installation } from '../support/intents.ts'

/** Every state of an installation in the original, and what may be asked for from it. */
const INSTALLATION_STATES: Readonly<Record<string, readonly InstallationOperation[]>> = {
  'creation-requested': ['creation', 'deletion'],
  'creation-pre-provisioning': ['deletion'],
  'creation-in-progress': ['deletion'],
  'creation-configuring-dns': ['deletion'],
  'creation-no-compatible-clusters': ['deletion'],
  'creation-final-tasks': ['deletion'],
  'creation-failed': ['creation', 'deletion'],
  stable: ['update', 'hibernation', 'deletion-pending'],
  'update-requested': ['update', 'deletion-pending'],
  'update-in-progress': ['deletion-pending'],
  'update-failed': ['update', 'deletion-pending'],
  'hibernation-requested': [],
  'hibernation-in-progress': [],
  hibernating: ['wake-up', 'deletion-pending', 'dns-migration'],
  'wake-up-requested': [],
  'deletion-pending-requested': ['deletion-pending'],
  'deletion-pending-in-progress': ['deletion-pending'],
  'deletion-pending': ['deletion-cancellation'],
  'deletion-cancellation-requested': [],
  'deletion-requested': ['deletion'],
  'deletion-in-progress': ['deletion'],
  'deletion-final-cleanup': ['deletion'],
  'deletion-failed': ['deletion'],
  deleted: [],
  'db-restoration-in-progress': [],
  'db-restoration-failed': [],
  'db-migration-in-progress': [],
  'db-migration-rollback-in-progress': [],
  'db-migration-failed': [],
  'dns-migration-hibernated': [],
  'import-in-progress': [],
  'import-complete': [],
}
const INSTALLATION_OPERATIONS: readonly InstallationOperation[] = [
  'creation',
  'update',
  'hibernation',
  'wake-up',
  'deletion-pending',
  'deletion-cancellation',
  'deletion',
  'dns-migration',
]

const CLUSTER_STATES: Readonly<Record<string, readonly ClusterOperation[]>> = {
  'creation-requested': ['creation', 'deletion'],
  'creation-in-progress': [],
  'creation-failed': ['creation', 'deletion'],
  'waiting-for-nodes': [],
  'provision-in-progress': [],
  'refresh-metadata': [],
  stable: ['provisioning', 'upgrade', 'resize', 'nodegroups-creation', 'nodegroups-deletion', 'deletion'],
  'provisioning-requested': ['provisioning'],
  'provisioning-failed': ['provisioning', 'deletion'],
  'upgrade-requested': ['upgrade', 'deletion'],
  'upgrade-failed': ['upgrade', 'deletion'],
  'resize-requested': ['resize'],
  'resize-failed': ['resize'],
  'nodegroups-creation-requested': ['nodegroups-creation'],
  'nodegroups-creation-failed': ['nodegroups-creation'],
  'nodegroups-deletion-requested': ['nodegroups-deletion'],
  'nodegroups-deletion-failed': ['nodegroups-deletion'],
  'deletion-requested': ['deletion'],
  'deletion-failed': ['deletion'],
  deleted: [],
}
const CLUSTER_OPERATIONS: readonly ClusterOperation[] = [
  'creation',
  'provisioning',
  'upgrade',
  'resize',
  'nodegroups-creation',
  'nodegroups-deletion',
  'deletion',
]

test('each state of an installation allows what the original allows', async (t) => {
  for (const [state, allowed] of Object.entries(INSTALLATION_STATES))
    t.same(
      INSTALLATION_OPERATIONS.filter((operation) => mayRequestOnInstallation(operation, state)),
      allowed,
      state,
    )
})

test('each state of a cluster allows what the original allows', async (t) => {
  for (const [state, allowed] of Object.entries(CLUSTER_STATES))
    t.same(
      CLUSTER_OPERATIONS.filter((operation) => mayRequestOnCluster(operation, state)),
      allowed,
      state,
    )
})

test('an operation is requested until an observation has seen it, and then is what was seen', async (t) => {
  for (const kind of INSTALLATION_OPERATIONS) {
    const asked = installation('acme', 1, { operation: { kind, generation: 3, requestedAt: CREATED_AT } })
    t.equal(installationState(asked, undefined), `${kind}-requested`)
    for (const state of Object.keys(INSTALLATION_STATES)) {
      t.equal(installationState(asked, { state, generation: 2 }), `${kind}-requested`, 'an older one')
      t.equal(installationState(asked, { state, generation: 3 }), state)
      t.equal(installationState(asked, { state, generation: 4 }), state, 'a newer one')
    }
  }
  for (const kind of CLUSTER_OPERATIONS) {
    const asked = cluster('prod-1', 1, { operation: { kind, generation: 3, requestedAt: CREATED_AT } })
    t.equal(clusterState(asked, undefined), `${kind}-requested`)
    for (const state of Object.keys(CLUSTER_STATES)) {
      t.equal(clusterState(asked, { state, generation: 2 }), `${kind}-requested`)
      t.equal(clusterState(asked, { state, generation: 3 }), state)
    }
  }
})

test('an installation for which there is no cluster says so, as long as its creation is what was asked for', async (t) => {
  const created = installation('acme', 1)
  t.equal(installationState(created, undefined, 'no cluster'), 'creation-no-compatible-clusters')
  const deletion = { kind: 'deletion', generation: 2, requestedAt: CREATED_AT } as const
  t.equal(
    installationState(installation('acme', 1, { operation: deletion }), undefined, 'no cluster'),
    'deletion-requested',
  )
})

test('a deployment has the states of its own', async (t) => {
  const live = { id: id(9), cluster: 'prod-1', createdAt: CREATED_AT, active: true }
  const gone = { ...live, deletedAt: CREATED_AT, active: false }
  for (const kind of INSTALLATION_OPERATIONS) {
    const asked = installation('acme', 1, { operation: { kind, generation: 3, requestedAt: CREATED_AT } })
    const unseen =
      kind === 'creation' ? 'creation-requested' : kind === 'deletion' ? 'deletion-requested' : 'reconciling'
    t.equal(clusterInstallationState(asked, live, undefined), unseen, kind)
    t.equal(clusterInstallationState(asked, live, { state: 'stable', generation: 2 }), unseen, kind)
    for (const state of ['reconciling', 'ready', 'stable', 'creation-failed', 'deletion-failed', 'deleted'])
      t.equal(clusterInstallationState(asked, live, { state, generation: 3 }), state)
    t.equal(clusterInstallationState(asked, gone, undefined), 'deleted')
    t.equal(
      clusterInstallationState(asked, gone, { state: 'stable', generation: 9 }),
      'stable',
      'as recorded',
    )
  }
})
