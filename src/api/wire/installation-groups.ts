/** Membership of installations in groups. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import { assignGroup, joinGroup, leaveGroup } from '../../fleet/transactions/installations/groups.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { readBoolean } from '../query.ts'
import { type Answer, empty, type Route } from '../routes.ts'
import { list, object, text } from '../shapes.ts'
import { changeInstallation, statesOf } from './change-installation.ts'

const SELECTION = object({ GroupSelectionAnnotations: list(text()) })
const DONE = { description: 'Done', schema: null }

export function membershipRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'writer', responses: { 200: DONE } } as const
  return [
    {
      ...wire,
      method: 'PUT',
      path: '/api/installation/{id}/group/{group}',
      operationId: 'joinGroup',
      summary: 'Put an installation into a group',
      handler: (context) => join(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/group/{selection}',
      operationId: 'assignGroup',
      summary: 'Put an installation into the group that fits',
      request: SELECTION,
      replay: () => empty(200),
      async handler(context) {
        const annotations = requireAnnotationNames(
          context.decode(SELECTION).GroupSelectionAnnotations ?? [],
          '/GroupSelectionAnnotations',
        )
        return await changeInstallation(parts, context, assignGroup({ id: context.id(), annotations }), () =>
          empty(200),
        )
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
      handler: (context) => {
        const retain = readBoolean(context.query, 'retain_config', true)
        const transaction = leaveGroup({ id: context.id(), retain, stateOf: statesOf(parts) })
        return changeInstallation(parts, context, transaction, () => empty(200))
      },
    },
  ]
}

async function join(parts: Parts, context: HandlerContext): Promise<Answer> {
  const group = context.param('group')
  if (!isId(group))
    throw new FleetError('not-found', 'There is no such group: ids have 26 letters and digits.')
  if (parts.writer.fleet.groupById(group) !== undefined) requireFree(parts.leases, 'group', group)
  return await changeInstallation(parts, context, joinGroup({ id: context.id(), group }), () => empty(200))
}
