/** Groups, as the original's API has them. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import { type Id, isId } from '../../fleet/ids.ts'
import type { Group } from '../../fleet/intents.ts'
import { annotateGroup, deleteGroup, requireGroup } from '../../fleet/transactions/groups/groups.ts'
import type { EarlierRequest } from '../../ports/writer.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { PAGING_QUERY, pageOf, readBoolean, readPaging } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { list, object, text } from '../shapes.ts'
import { groupView } from '../views/group.ts'
import { stateOf } from '../views/installation.ts'
import { listOf, schemaOf } from '../views/schemas.ts'
import { CREATE_GROUP, createGroupHandler, UPDATE_GROUP, updateGroupHandler } from './group-requests.ts'

const ANNOTATIONS = object({ Annotations: list(text()) })
const SECRET_FIELDS = ['MattermostEnv.*.value'] as const
const GROUP = { description: 'The group', schema: schemaOf('Group') }

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
      responses: { 200: { description: 'Groups', schema: listOf('Group') } },
      handler: async (context) => listGroups(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/groups',
      operationId: 'createGroup',
      summary: 'Create a group',
      request: CREATE_GROUP,
      responses: { 200: GROUP },
      secretFields: SECRET_FIELDS,
      handler: (context) => createGroupHandler(parts, context),
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
      request: UPDATE_GROUP,
      responses: { 200: GROUP },
      secretFields: SECRET_FIELDS,
      handler: (context) => updateGroupHandler(parts, context),
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
