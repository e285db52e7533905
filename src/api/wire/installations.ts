/** Installations, as the original's API has them. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { type Id, isId } from '../../fleet/ids.ts'
import type { Installation } from '../../fleet/intents.ts'
import type { Transaction } from '../../fleet/transaction.ts'
import {
  addInstallationAnnotations,
  deleteInstallationAnnotation,
} from '../../fleet/transactions/installations/annotations.ts'
import { requireInstallation, type StateOf } from '../../fleet/transactions/installations/common.ts'
import { assignGroup, joinGroup, leaveGroup } from '../../fleet/transactions/installations/groups.ts'
import {
  deleteUnplacedInstallation,
  retryInstallation,
} from '../../fleet/transactions/installations/lifecycle.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { readBoolean } from '../query.ts'
import { type Answer, empty, json, type Route } from '../routes.ts'
import { list, object, text } from '../shapes.ts'
import { installationView, stateOf } from '../views/installation.ts'
import { CREATE_INSTALLATION, createInstallationHandler } from './create-installation.ts'
import { PATCH_INSTALLATION, patchInstallationHandler } from './patch-installation.ts'
import { installationReadRoutes } from './read-installations.ts'

const ANNOTATIONS = object({ annotations: list(text()) })
const SELECTION = object({ GroupSelectionAnnotations: list(text()) })
const INSTALLATION = { description: 'The installation' }
const SECRET_FIELDS = ['License', 'MattermostEnv.*.value', 'PriorityEnv.*.value'] as const

export function installationRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'writer' } as const
  const states: StateOf = (fleet, installation) => stateOf(parts, fleet, installation)
  const shown =
    (status: number) =>
    (installation: Installation): Answer =>
      json(status, installationView(parts, parts.writer.fleet, installation, { withGroup: true }))
  const change = async (
    context: HandlerContext,
    transaction: Transaction<Installation>,
    answer: (installation: Installation) => Answer,
  ): Promise<Answer> => {
    requireInstallation(parts.writer.fleet, context.id())
    requireFree(parts.leases, 'installation', context.id())
    return await context.submit({ transaction, answer })
  }
  const replay = replayed(parts)
  return [
    ...installationReadRoutes(parts),
    {
      ...wire,
      method: 'POST',
      path: '/api/installations',
      operationId: 'createInstallation',
      summary: 'Create an installation',
      request: CREATE_INSTALLATION,
      responses: { 202: INSTALLATION },
      secretFields: SECRET_FIELDS,
      replay,
      handler: (context) => createInstallationHandler(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}',
      operationId: 'retryInstallation',
      summary: 'Retry the creation of an installation',
      responses: { 202: INSTALLATION },
      replay,
      handler: (context) =>
        change(context, retryInstallation({ id: context.id(), stateOf: states }), shown(202)),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/installation/{id}/mattermost',
      operationId: 'updateInstallation',
      summary: 'Change an installation',
      request: PATCH_INSTALLATION,
      responses: { 202: INSTALLATION },
      secretFields: SECRET_FIELDS,
      handler: (context) => patchInstallationHandler(parts, context, states),
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/installation/{id}',
      operationId: 'deleteInstallation',
      summary: 'Delete an installation that never ran',
      responses: { 202: { description: 'Deleted', schema: null } },
      handler: (context) =>
        change(context, deleteUnplacedInstallation({ id: context.id(), stateOf: states }), () => empty(202)),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/annotations',
      operationId: 'annotateInstallation',
      summary: 'Add annotations to an installation',
      request: ANNOTATIONS,
      responses: { 200: INSTALLATION },
      replay,
      async handler(context) {
        const names = requireAnnotationNames(context.decode(ANNOTATIONS).annotations ?? [], '/annotations')
        return await change(context, addInstallationAnnotations({ id: context.id(), names }), shown(200))
      },
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/installation/{id}/annotation/{name}',
      operationId: 'deleteInstallationAnnotation',
      summary: 'Remove an annotation of an installation',
      responses: { 204: { description: 'Removed', schema: null } },
      handler: (context) =>
        change(context, deleteInstallationAnnotation({ id: context.id(), name: context.param('name') }), () =>
          empty(204),
        ),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/installation/{id}/group/{groupId}',
      operationId: 'joinGroup',
      summary: 'Put an installation into a group',
      responses: { 202: { description: 'Done', schema: null } },
      handler: (context) =>
        change(context, joinGroup({ id: context.id(), group: context.id('groupId') }), () => empty(200)),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/group/{selection}',
      operationId: 'assignGroup',
      summary: 'Put an installation into the group that fits',
      request: SELECTION,
      responses: { 202: { description: 'Done', schema: null } },
      async handler(context) {
        const annotations = requireAnnotationNames(
          context.decode(SELECTION).GroupSelectionAnnotations ?? [],
          '/GroupSelectionAnnotations',
        )
        return await change(context, assignGroup({ id: context.id(), annotations }), () => empty(200))
      },
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/installation/{id}/group',
      operationId: 'leaveGroup',
      summary: 'Take an installation out of its group',
      query: {
        retain_config: {
          description: "Keeps the group's configuration",
          schema: { type: 'boolean', default: true },
        },
      },
      responses: { 202: { description: 'Done', schema: null } },
      handler: (context) => {
        const retain = readBoolean(context.query, 'retain_config', true)
        return change(context, leaveGroup({ id: context.id(), retain, stateOf: states }), () => empty(200))
      },
    },
  ]
}

function replayed(parts: Parts): NonNullable<Route['replay']> {
  return (_context, { trailers }) => {
    const id = trailers.Installation
    const found = id !== undefined && isId(id) ? findInstallation(parts, id) : undefined
    return found === undefined ? undefined : json(202, found)
  }
}

function findInstallation(parts: Parts, id: Id): object | undefined {
  const { fleet } = parts.writer
  const installation = fleet.installation(id)
  return installation === undefined
    ? undefined
    : installationView(parts, fleet, installation, { withGroup: true })
}
