/** One accepted request for every route that changes something, each on objects of its own. */
import { send } from './api.ts'
import type { TestServer } from './server.ts'
import { applySetup } from './setup-steps.ts'

export interface ChangeCase {
  readonly operationId: string
  readonly method: 'POST' | 'PUT' | 'DELETE'
  readonly path: string
  readonly body?: object
}

type Prepare = (world: World) => Promise<Omit<ChangeCase, 'operationId'>>

/** Makes objects in the states that requests need. */
class World {
  readonly #server: TestServer
  #count = 0

  constructor(server: TestServer) {
    this.#server = server
  }

  name(prefix: string): string {
    this.#count += 1
    return `${prefix}-${this.#count}`
  }

  async post(path: string, body: object): Promise<string> {
    const reply = await send(this.#server.url, 'POST', path, { body })
    if (reply.status >= 300) throw new Error(`POST ${path} was answered ${reply.status}: ${reply.text}`)
    return reply.body?.ID ?? ''
  }

  async installation(state?: string, more: object = {}): Promise<string> {
    const id = await this.post('/api/installations', { ...installationBody(this.name('acme')), ...more })
    if (state !== undefined) await this.setup({ installation: id, state })
    return id
  }

  async cluster(state?: string, body: object = {}): Promise<string> {
    const id = await this.post('/api/clusters', body)
    if (state !== undefined) await this.setup({ cluster: id, state })
    return id
  }

  async eks(): Promise<string> {
    const id = await this.cluster(undefined, EKS)
    const worker = { Name: 'worker-a', Type: 'worker', InstanceType: 'm5.large', MinCount: 2, MaxCount: 2 }
    const NodeGroups = { worker, calls: { ...worker, Name: 'calls-a', Type: 'calls' } }
    await this.setup({
      cluster: id,
      state: 'stable',
      eksMetadata: { Name: 'x', Version: '1.30', NodeGroups },
    })
    return id
  }

  async group(body: object = {}): Promise<string> {
    return await this.post('/api/groups', { Name: this.name('group'), ...body })
  }

  async deployment(): Promise<string> {
    const step = { create: 'clusterInstallation', cluster: await this.cluster('stable') }
    const made = await this.setup({ ...step, installation: await this.installation('stable', SHARED) })
    return 'ID' in made ? String(made.ID) : ''
  }

  async database(): Promise<string> {
    const more = { vpcID: 'vpc-1', databaseType: 'aws-multitenant-rds-postgres-pgbouncer' }
    const made = await this.setup({ create: 'multitenantDatabase', rdsClusterID: this.name('rds'), ...more })
    return 'ID' in made ? String(made.ID) : ''
  }

  async setup(step: Readonly<Record<string, unknown>>): Promise<object> {
    return await applySetup(this.#server.server.parts, step)
  }

  async fetch(path: string): Promise<{ readonly DNSRecords: readonly { readonly ID: string }[] }> {
    return (await send(this.#server.url, 'GET', path)).body
  }
}

const EKS = { provisioner: 'eks', ami: 'ami-1', 'cluster-role-arn': 'arn:c', 'node-role-arn': 'arn:n' }
const SHARED = { Database: 'aws-multitenant-rds-postgres', Filestore: 'bifrost' }
const VOLUME = {
  Name: 'my-vol',
  Data: { 'file.txt': 'aGVsbG8=' },
  Volume: { Type: 'secret', MountPath: '/etc/my' },
}

export function installationBody(name: string): object {
  return {
    Name: name,
    OwnerID: 'owner',
    DNSNames: [`${name}.example.com`],
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
    Affinity: 'multitenant',
  }
}

function onCluster(method: ChangeCase['method'], tail: string, body?: object, state = 'stable'): Prepare {
  return async (world) => request(method, `/api/cluster/${await world.cluster(state)}${tail}`, body)
}

function onInstallation(
  method: ChangeCase['method'],
  tail: string,
  body?: object,
  state = 'stable',
): Prepare {
  return async (world) => request(method, `/api/installation/${await world.installation(state)}${tail}`, body)
}

function request(method: ChangeCase['method'], path: string, body?: object): Omit<ChangeCase, 'operationId'> {
  return { method, path, ...(body === undefined ? {} : { body }) }
}

const CLUSTERS: Readonly<Record<string, Prepare>> = {
  createCluster: async () => request('POST', '/api/clusters', {}),
  importCluster: async (world) =>
    request('POST', '/api/clusters/import', { 'external-cluster-secret-name': world.name('kubeconfig') }),
  updateCluster: onCluster('PUT', '', { Name: 'other' }),
  annotateCluster: onCluster('POST', '/annotations', { annotations: ['abc'] }),
  deleteClusterAnnotation: async (world) =>
    request(
      'DELETE',
      `/api/cluster/${await world.cluster('stable', { annotations: ['abc'] })}/annotation/abc`,
    ),
  retryClusterCreation: onCluster('POST', '', undefined, 'creation-failed'),
  deleteCluster: onCluster('DELETE', ''),
  provisionCluster: onCluster('POST', '/provision', {}),
  upgradeCluster: onCluster('PUT', '/kubernetes', { version: '1.31.0' }),
  resizeCluster: onCluster('PUT', '/size', { 'node-min-count': 3, 'node-max-count': 3 }),
  createNodegroups: async (world) =>
    request('POST', `/api/cluster/${await world.eks()}/nodegroups`, { nodegroups: { search: {} } }),
  deleteNodegroup: async (world) => request('DELETE', `/api/cluster/${await world.eks()}/nodegroup/calls`),
}

const INSTALLATIONS: Readonly<Record<string, Prepare>> = {
  createInstallation: async (world) => {
    const body = { ...installationBody(world.name('new')), License: 'licence-of-the-test' }
    return request('POST', '/api/installations', body)
  },
  retryInstallation: onInstallation('POST', '', undefined, 'creation-failed'),
  updateInstallation: onInstallation('PUT', '/mattermost', {
    Version: '11.3.0',
    License: 'licence-of-the-test',
  }),
  annotateInstallation: onInstallation('POST', '/annotations', { annotations: ['abc'] }),
  deleteInstallationAnnotation: async (world) => {
    const id = await world.installation('stable', { Annotations: ['abc'] })
    return request('DELETE', `/api/installation/${id}/annotation/abc`)
  },
  joinGroup: async (world) =>
    request('PUT', `/api/installation/${await world.installation('stable')}/group/${await world.group()}`),
  assignGroup: async (world) => {
    const annotation = world.name('ring')
    await world.group({ Annotations: [annotation] })
    const path = `/api/installation/${await world.installation('stable')}/group/assign`
    return request('POST', path, { GroupSelectionAnnotations: [annotation] })
  },
  leaveGroup: async (world) => {
    const id = await world.installation('stable', { GroupID: await world.group() })
    return request('DELETE', `/api/installation/${id}/group`)
  },
  deleteInstallation: onInstallation('DELETE', ''),
  updateInstallationDeletion: onInstallation(
    'PUT',
    '/deletion',
    { DeletionPendingExpiry: Date.UTC(2100, 0) },
    'deletion-pending',
  ),
  cancelInstallationDeletion: onInstallation('POST', '/deletion/cancel', undefined, 'deletion-pending'),
  scheduleInstallationDeletion: onInstallation('PUT', '/deletion/schedule', {
    ScheduledDeletionTime: Date.UTC(2100, 0),
  }),
  hibernateInstallation: onInstallation('POST', '/hibernate'),
  wakeUpInstallation: onInstallation('POST', '/wakeup', { Version: '11.3.0' }, 'hibernating'),
  createInstallationVolume: onInstallation('POST', '/volumes', VOLUME),
  updateInstallationVolume: async (world) => {
    const id = await world.installation('stable')
    await world.post(`/api/installation/${id}/volumes`, VOLUME)
    return request('PUT', `/api/installation/${id}/volume/my-vol`, { Data: { 'file.txt': 'Ynll' } })
  },
  deleteInstallationVolume: async (world) => {
    const id = await world.installation('stable')
    await world.post(`/api/installation/${id}/volumes`, VOLUME)
    return request('DELETE', `/api/installation/${id}/volume/my-vol`)
  },
  addInstallationDns: async (world) =>
    request('POST', `/api/installation/${await world.installation('stable')}/dns`, {
      DNS: `${world.name('second')}.example.com`,
    }),
  setInstallationPrimaryDns: async (world) => {
    const { path, dns } = await withSecondName(world)
    return request('POST', `${path}/dns/${dns}/set-primary`)
  },
  deleteInstallationDns: async (world) => {
    const { path, dns } = await withSecondName(world)
    return request('DELETE', `${path}/dns/${dns}`)
  },
}

async function withSecondName(world: World): Promise<{ readonly path: string; readonly dns: string }> {
  const path = `/api/installation/${await world.installation('stable')}`
  await world.post(`${path}/dns`, { DNS: `${world.name('second')}.example.com` })
  const { DNSRecords } = await world.fetch(path)
  return { path, dns: DNSRecords[1]?.ID ?? '' }
}

const GROUPS: Readonly<Record<string, Prepare>> = {
  createGroup: async (world) => request('POST', '/api/groups', { Name: world.name('group') }),
  updateGroup: async (world) => request('PUT', `/api/group/${await world.group()}`, { Version: '11.3.0' }),
  deleteGroup: async (world) => request('DELETE', `/api/group/${await world.group()}`),
  annotateGroup: async (world) =>
    request('POST', `/api/group/${await world.group()}/annotations`, { annotations: ['abc'] }),
  deleteGroupAnnotation: async (world) =>
    request('DELETE', `/api/group/${await world.group({ Annotations: ['abc'] })}/annotation/abc`),
}

const LOCKS: Readonly<Record<string, Prepare>> = {
  lockCluster: async (world) => request('POST', `/api/security/cluster/${await world.cluster()}/api/lock`),
  unlockCluster: async (world) =>
    request(
      'POST',
      `/api/security/cluster/${await world.cluster(undefined, { 'api-security-lock': true })}/api/unlock`,
    ),
  lockGroup: async (world) => request('POST', `/api/security/group/${await world.group()}/api/lock`),
  unlockGroup: async (world) =>
    request('POST', `/api/security/group/${await world.group({ APISecurityLock: true })}/api/unlock`),
  lockInstallation: async (world) =>
    request('POST', `/api/security/installation/${await world.installation()}/api/lock`),
  unlockInstallation: async (world) => {
    const id = await world.installation(undefined, { APISecurityLock: true })
    return request('POST', `/api/security/installation/${id}/api/unlock`)
  },
  lockInstallationDeletion: async (world) =>
    request('POST', `/api/security/installation/${await world.installation()}/deletion/lock`),
  unlockInstallationDeletion: async (world) => {
    const id = await world.installation(undefined, { DeletionLocked: true })
    return request('POST', `/api/security/installation/${id}/deletion/unlock`)
  },
  lockClusterInstallation: async (world) =>
    request('POST', `/api/security/cluster_installation/${await world.deployment()}/api/lock`),
  unlockClusterInstallation: async (world) => {
    const path = `/api/security/cluster_installation/${await world.deployment()}/api`
    await world.post(`${path}/lock`, {})
    return request('POST', `${path}/unlock`)
  },
}

const DATABASES: Readonly<Record<string, Prepare>> = {
  updateMultitenantDatabase: async (world) =>
    request('PUT', `/api/databases/multitenant_database/${await world.database()}`, {
      MaxInstallationsPerLogicalDatabase: 7,
    }),
  deleteMultitenantDatabase: async (world) =>
    request('DELETE', `/api/databases/multitenant_database/${await world.database()}?force=true`),
  deleteLogicalDatabase: async (world) => {
    const step = { create: 'logicalDatabase', name: world.name('cloud') }
    const made = await world.setup({ ...step, multitenantDatabase: await world.database() })
    return request('DELETE', `/api/databases/logical_database/${'ID' in made ? made.ID : ''}`)
  },
}

/** @param operations those wanted; undefined: all */
export async function prepareChanges(
  server: TestServer,
  operations?: readonly string[],
): Promise<readonly ChangeCase[]> {
  const world = new World(server)
  const cases: ChangeCase[] = []
  const all = Object.entries({ ...CLUSTERS, ...INSTALLATIONS, ...GROUPS, ...LOCKS, ...DATABASES })
  for (const [operationId, prepare] of all)
    if (operations === undefined || operations.includes(operationId))
      cases.push({ operationId, ...(await prepare(world)) })
  return cases
}
