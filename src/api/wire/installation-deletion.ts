/** Deletion of installations, and sleep: what people ask for when one is not needed for now, or any more. */
import { FleetError } from '../../fleet/errors.ts'
import {
  cancelDeletion,
  moveDeletionExpiry,
  requestDeletion,
  scheduleDeletion,
} from '../../fleet/transactions/installations/deletion.ts'
import {
  hibernateInstallation,
  wakeUpInstallation,
} from '../../fleet/transactions/installations/lifecycle.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, empty, type Route } from '../routes.ts'
import { integer, object } from '../shapes.ts'
import { schemaOf } from '../views/schemas.ts'
import { changeInstallation, requireFreeInstallation, shown, statesOf } from './change-installation.ts'
import { PATCH_INSTALLATION, readPatch } from './patch-installation.ts'

const EXPIRY = object({ DeletionPendingExpiry: integer('Milliseconds since 1970') })
const SCHEDULE = object({ ScheduledDeletionTime: integer('Milliseconds since 1970; 0: none') })
/** Clocks differ a little. */
const TOLERANCE_MILLISECONDS = 5000
const INSTALLATION = { description: 'The installation', schema: schemaOf('Installation') }
const ACCEPTED = { description: 'Accepted', schema: null }

export function deletionRoutes(parts: Parts, replay: NonNullable<Route['replay']>): readonly Route[] {
  const wire = { wire: true, role: 'writer' } as const
  const stateOf = statesOf(parts)
  return [
    {
      ...wire,
      method: 'DELETE',
      path: '/api/installation/{id}',
      operationId: 'deleteInstallation',
      summary: 'Delete an installation',
      responses: { 202: ACCEPTED },
      handler: (context) =>
        changeInstallation(parts, context, requestDeletion({ id: context.id(), stateOf }), () => empty(202)),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/installation/{id}/deletion',
      operationId: 'updateInstallationDeletion',
      summary: 'Move the end of a pending deletion',
      request: EXPIRY,
      responses: { 200: INSTALLATION },
      handler: (context) => moveExpiry(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/deletion/cancel',
      operationId: 'cancelInstallationDeletion',
      summary: 'Cancel a pending deletion',
      responses: { 202: ACCEPTED },
      replay: () => empty(202),
      handler: (context) =>
        changeInstallation(parts, context, cancelDeletion({ id: context.id(), stateOf }), () => empty(202)),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/installation/{id}/deletion/schedule',
      operationId: 'scheduleInstallationDeletion',
      summary: 'Schedule a deletion',
      request: SCHEDULE,
      responses: { 200: INSTALLATION },
      handler: (context) => schedule(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/hibernate',
      operationId: 'hibernateInstallation',
      summary: 'Hibernate an installation',
      responses: { 202: INSTALLATION },
      replay,
      handler: (context) =>
        changeInstallation(
          parts,
          context,
          hibernateInstallation({ id: context.id(), stateOf }),
          shown(parts, 202, false),
        ),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/wakeup',
      operationId: 'wakeUpInstallation',
      summary: 'Wake an installation up',
      request: PATCH_INSTALLATION,
      responses: { 202: INSTALLATION },
      secretFields: ['License', 'MattermostEnv.*.value', 'PriorityEnv.*.value'],
      replay,
      handler: (context) => wakeUp(parts, context),
    },
  ]
}

async function moveExpiry(parts: Parts, context: HandlerContext): Promise<Answer> {
  const { DeletionPendingExpiry: expiresAt } = context.decode(EXPIRY)
  if (expiresAt !== undefined && expiresAt < context.now - TOLERANCE_MILLISECONDS)
    throw invalid('/DeletionPendingExpiry', 'must be in the future')
  const transaction = moveDeletionExpiry({ id: context.id(), stateOf: statesOf(parts), expiresAt })
  return await changeInstallation(parts, context, transaction, shown(parts, 200, false))
}

async function schedule(parts: Parts, context: HandlerContext): Promise<Answer> {
  if (context.bytes.length === 0)
    throw new FleetError('invalid-json', 'The body must be a JSON object with ScheduledDeletionTime.')
  const { ScheduledDeletionTime: at } = context.decode(SCHEDULE)
  if (at !== undefined && at !== 0 && at < context.now)
    throw invalid('/ScheduledDeletionTime', 'must be in the future, or 0 for none')
  const transaction = scheduleDeletion({ id: context.id(), at })
  return await changeInstallation(parts, context, transaction, shown(parts, 200, false))
}

async function wakeUp(parts: Parts, context: HandlerContext): Promise<Answer> {
  const read = readPatch(context)
  requireFreeInstallation(parts, context.id())
  const { patch, secrets } = read(parts)
  const transaction = wakeUpInstallation({ id: context.id(), stateOf: statesOf(parts), patch })
  return await changeInstallation(parts, context, transaction, shown(parts, 202, false), secrets)
}

function invalid(pointer: string, detail: string): FleetError {
  return new FleetError('invalid-request', `${pointer.slice(1)} ${detail}.`, {
    errors: [{ pointer, detail }],
  })
}
