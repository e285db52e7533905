/** Groups, as the original's API has them. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import { type Id, isId } from '../../fleet/ids.ts'
import type { Group, GroupConfiguration } from '../../fleet/intents.ts'
import {
  annotateGroup,
  createGroup,
  deleteGroup,
  requireGroup,
  updateGroup,
} from '../../fleet/transactions/groups/groups.ts'
import type { EarlierRequest } from '../../ports/writer.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { PAGING_QUERY, pageOf, readBoolean, readPaging } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { anyObject, type Decoded, flag, integer, list, map, object, text } from '../shapes.ts'
import { groupView } from '../views/group.ts'
import { stateOf } from '../views/installation.ts'
import { ENV_SHAPE, newId, SecretCollector } from './values.ts'

const SCHEDULING = object({ NodeSelector: map(text()), Tolerations: list(anyObject()) })
const CREATE = object({
  Name: text(),
  Description: text(),
  Version: text(),
  Image: text(),
  MaxRolling: integer(),
  APISecurityLock: flag(),
  MattermostEnv: ENV_SHAPE,
  Scheduling: SCHEDULING,
  Annotations: list(text()),
})
const UPDATE = object({
  Name: text(),
  Description: text(),
  Version: text(),
  Image: text(),
  MaxRolling: integer(),
  MattermostEnv: ENV_SHAPE,
  Scheduling: SCHEDULING,
  ForceSequenceUpdate: flag(),
  ForceInstallationsRestart: flag(),
})
const ANNOTATIONS = object({ Annotations: list(text()) })
const SECRET_FIELDS = ['MattermostEnv.*.value'] as const
const GROUP = { description: 'The group' }

export function groupRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'writer' } as const
  return [
    {
      ...wire,
      method: 'GET',
      path: '/api/groups',
      operationId: 'listGroups',
      summary: 'List groups',
      role: 'reader',
      query: {
        ...PAGING_QUERY,
        show_installation_count: { description: 'With the number of members', schema: { type: 'boolean' } },
      },
      responses: { 200: { description: 'Groups' } },
      handler: async (context) => listGroups(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/groups',
      operationId: 'createGroup',
      summary: 'Create a group',
      request: CREATE,
      responses: { 200: GROUP },
      secretFields: SECRET_FIELDS,
      handler: (context) => create(parts, context),
      replay: replayed(parts),
    },
    {
      ...wire,
      method: 'GET',
      path: '/api/groups/status',
      operationId: 'getGroupsStatus',
      summary: 'Rollout of all groups',
      role: 'reader',
      responses: { 200: { description: 'By group' } },
      handler: async () => allStatus(parts),
    },
    {
      ...wire,
      method: 'GET',
      path: '/api/group/{id}',
      operationId: 'getGroup',
      summary: 'Get a group',
      role: 'reader',
      query: {
        show_installation_count: { description: 'With the number of members', schema: { type: 'boolean' } },
      },
      responses: { 200: GROUP },
      handler: async (context) => get(parts, context),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/group/{id}',
      operationId: 'updateGroup',
      summary: 'Change a group',
      request: UPDATE,
      responses: { 200: GROUP },
      secretFields: SECRET_FIELDS,
      handler: (context) => update(parts, context),
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/group/{id}',
      operationId: 'deleteGroup',
      summary: 'Delete a group',
      responses: { 200: { description: 'Deleted', schema: null } },
      handler: (context) => change(parts, context, deleteGroup({ id: context.id() }), () => empty(200)),
    },
    {
      ...wire,
      method: 'GET',
      path: '/api/group/{id}/status',
      operationId: 'getGroupStatus',
      summary: 'Rollout of a group',
      role: 'reader',
      responses: { 200: { description: 'Numbers of members' } },
      handler: async (context) => json(200, statusOf(parts, requireGroup(parts.writer.fleet, context.id()))),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/group/{id}/annotations',
      operationId: 'annotateGroup',
      summary: 'Add annotations to a group',
      request: ANNOTATIONS,
      responses: { 200: GROUP },
      replay: replayed(parts),
      async handler(context) {
        const add = requireAnnotationNames(context.decode(ANNOTATIONS).Annotations ?? [], '/annotations')
        return await change(parts, context, annotateGroup({ id: context.id(), add }), (group) =>
          json(200, groupView(parts, group)),
        )
      },
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/group/{id}/annotation/{name}',
      operationId: 'deleteGroupAnnotation',
      summary: 'Remove an annotation of a group',
      responses: { 204: { description: 'Removed', schema: null } },
      handler: (context) =>
        change(parts, context, annotateGroup({ id: context.id(), remove: context.param('name') }), () =>
          empty(204),
        ),
    },
  ]
}

function listGroups(parts: Parts, { query }: HandlerContext): Answer {
  const { fleet } = parts.writer
  const paging = readPaging(query)
  const counted = readBoolean(query, 'show_installation_count', false)
  const groups = fleet
    .groups()
    .filter(({ metadata }) => paging.includeDeleted || metadata.deletedAt === undefined)
  return json(
    200,
    pageOf(groups, paging).map((group) =>
      groupView(parts, group, counted ? fleet.memberCount(group.metadata.name) : undefined),
    ),
  )
}

function get(parts: Parts, context: HandlerContext): Answer {
  const { fleet } = parts.writer
  const group = fleet.groupById(context.id())
  if (group === undefined) throw new FleetError('not-found', `There is no group ${context.id()}.`)
  const counted = readBoolean(context.query, 'show_installation_count', false)
  return json(200, groupView(parts, group, counted ? fleet.memberCount(group.metadata.name) : undefined))
}

async function create(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(CREATE)
  const errors = [
    ...(body.Name === undefined || body.Name === '' ? [{ pointer: '/Name', detail: 'must be given' }] : []),
    ...((body.MaxRolling ?? 0) < 0 ? [{ pointer: '/MaxRolling', detail: 'must be 0 or more' }] : []),
  ]
  if (errors.length > 0)
    throw new FleetError(
      'invalid-request',
      `The group's ${errors[0]?.pointer.slice(1)} ${errors[0]?.detail}.`,
      { errors },
    )
  const id = newId(parts.randomness)
  const collector = new SecretCollector(parts.writer.fleet.settings, parts.randomness, `groups/${id}`)
  const transaction = createGroup({
    id,
    name: body.Name ?? '',
    description: body.Description ?? '',
    maxRolling: body.MaxRolling ?? 0,
    apiLocked: body.APISecurityLock ?? false,
    annotations: requireAnnotationNames(body.Annotations ?? [], '/Annotations'),
    configuration: configurationOf(body, collector),
  })
  return await context.submit({
    transaction,
    secrets: collector.secrets,
    answer: (group) => json(200, groupView(parts, group)),
  })
}

function configurationOf(body: Decoded<typeof CREATE>, collector: SecretCollector): GroupConfiguration {
  const env = collector.env(body.MattermostEnv)
  const scheduling = schedulingOf(body.Scheduling)
  return {
    ...(body.Version ? { version: body.Version } : {}),
    ...(body.Image ? { image: body.Image } : {}),
    ...(env === undefined ? {} : { env }),
    ...(scheduling ? { scheduling } : {}),
  }
}

/** Undefined: not given; null: an empty object, which clears. */
function schedulingOf(
  given: Decoded<typeof SCHEDULING> | undefined,
): GroupConfiguration['scheduling'] | null {
  if (given === undefined) return undefined
  const { NodeSelector: nodeSelector, Tolerations: tolerations } = given
  if (nodeSelector === undefined && tolerations === undefined) return null
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
  }
}

async function update(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(UPDATE)
  if (body.Name === '') throw invalid('/Name', 'must not be empty')
  if ((body.MaxRolling ?? 0) < 0) throw invalid('/MaxRolling', 'must be 0 or more')
  const id = context.id()
  const collector = new SecretCollector(parts.writer.fleet.settings, parts.randomness, `groups/${id}`)
  const env = collector.envPatch(body.MattermostEnv)
  const scheduling = schedulingOf(body.Scheduling)
  requireFree(parts.leases, 'group', id)
  const transaction = updateGroup({
    id,
    ...(body.Name === undefined ? {} : { name: body.Name }),
    ...(body.Description === undefined ? {} : { description: body.Description }),
    ...(body.MaxRolling === undefined ? {} : { maxRolling: body.MaxRolling }),
    ...(body.Version === undefined ? {} : { version: body.Version }),
    ...(body.Image === undefined ? {} : { image: body.Image }),
    ...(env === undefined ? {} : { env }),
    ...(scheduling === undefined ? {} : { scheduling }),
    forceSequenceUpdate: body.ForceSequenceUpdate ?? false,
    forceRestart: body.ForceInstallationsRestart ?? false,
  })
  return await context.submit({
    transaction,
    secrets: collector.secrets,
    answer: (group) => json(200, groupView(parts, group)),
  })
}

function invalid(pointer: string, detail: string): FleetError {
  return new FleetError('invalid-request', `${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail }],
  })
}

async function change(
  parts: Parts,
  context: HandlerContext,
  transaction: ReturnType<typeof deleteGroup>,
  answer: (group: Group) => Answer,
): Promise<Answer> {
  requireGroup(parts.writer.fleet, context.id())
  requireFree(parts.leases, 'group', context.id())
  return await context.submit({ transaction, answer })
}

function replayed(parts: Parts): NonNullable<Route['replay']> {
  return (_context, earlier: EarlierRequest) => {
    const id = earlier.trailers.Group
    const group = id !== undefined && isId(id) ? parts.writer.fleet.groupById(id) : undefined
    return group === undefined ? undefined : json(200, groupView(parts, group))
  }
}

function allStatus(parts: Parts): Answer {
  const groups = parts.writer.fleet.groups().filter(({ metadata }) => metadata.deletedAt === undefined)
  if (groups.length === 0) throw new FleetError('not-found', 'There is no group.')
  return json(
    200,
    groups.map((group) => ({ ID: group.metadata.id satisfies Id, Status: statusOf(parts, group) })),
  )
}

function statusOf(parts: Parts, group: Group): object {
  const { fleet } = parts.writer
  const members = fleet
    .installationsIn(group.metadata.name)
    .map((member) => ({ member, state: stateOf(parts, fleet, member) }))
  const count = (test: (found: (typeof members)[number]) => boolean): number => members.filter(test).length
  const updated = ({ member }: (typeof members)[number]): boolean =>
    parts.observations.get('installation', member.metadata.id)?.groupSequence === group.spec.sequence
  return {
    InstallationsTotal: members.length,
    InstallationsUpdated: count((found) => found.state === 'stable' && updated(found)),
    InstallationsUpdating: count(
      ({ state }) => state !== 'stable' && state !== 'hibernating' && !state.startsWith('deletion-pending'),
    ),
    InstallationsHibernating: count(({ state }) => state === 'hibernating'),
    InstallationsPendingDeletion: count(({ state }) => state.startsWith('deletion-pending')),
    InstallationsAwaitingUpdate: count((found) => found.state === 'stable' && !updated(found)),
  }
}
