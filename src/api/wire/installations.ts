/** Installations, as the original's API has them. */
import { requireAnnotationNames } from '../../fleet/annotations.ts'
import { isId } from '../../fleet/ids.ts'
import {
  addInstallationAnnotations,
  deleteInstallationAnnotation,
} from '../../fleet/transactions/installations/annotations.ts'
import { retryInstallation } from '../../fleet/transactions/installations/lifecycle.ts'
import type { Parts } from '../context.ts'
import { empty, json, type Route } from '../routes.ts'
import { list, object, text } from '../shapes.ts'
import { deletedAtOf, installationView } from '../views/installation.ts'
import { schemaOf } from '../views/schemas.ts'
import { changeInstallation, shown, statesOf } from './change-installation.ts'
import { CREATE_INSTALLATION, createInstallationHandler } from './create-installation.ts'
import { deletionRoutes } from './installation-deletion.ts'
import { dnsRoutes } from './installation-dns.ts'
import { membershipRoutes } from './installation-groups.ts'
import { volumeRoutes } from './installation-volumes.ts'
import { PATCH_INSTALLATION, patchInstallationHandler } from './patch-installation.ts'
import { installationReadRoutes } from './read-installations.ts'

const ANNOTATIONS = object({ annotations: list(text()) })
const INSTALLATION = { description: 'The installation', schema: schemaOf('Installation') }
const SECRET_FIELDS = ['License', 'MattermostEnv.*.value', 'PriorityEnv.*.value'] as const

export function installationRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'writer' } as const
  const replay = replayed(parts, 202, false)
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
      replay: replayed(parts, 202, true),
      handler: (context) =>
        changeInstallation(
          parts,
          context,
          retryInstallation({ id: context.id(), stateOf: statesOf(parts) }),
          shown(parts, 202, true),
        ),
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
      handler: (context) => patchInstallationHandler(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/annotations',
      operationId: 'annotateInstallation',
      summary: 'Add annotations to an installation',
      request: ANNOTATIONS,
      responses: { 200: INSTALLATION },
      replay: replayed(parts, 200, true),
      async handler(context) {
        const names = requireAnnotationNames(context.decode(ANNOTATIONS).annotations ?? [], '/annotations')
        return await changeInstallation(
          parts,
          context,
          addInstallationAnnotations({ id: context.id(), names }),
          shown(parts, 200, true),
        )
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
        changeInstallation(
          parts,
          context,
          deleteInstallationAnnotation({ id: context.id(), name: context.param('name') }),
          () => empty(204),
        ),
    },
    ...membershipRoutes(parts),
    ...deletionRoutes(parts, replay),
    ...volumeRoutes(parts, replay),
    ...dnsRoutes(parts, replay),
  ]
}

/** The installation that an earlier request was about, as it is now; deleted ones as they were. */
function replayed(parts: Parts, status: number, withGroup: boolean): NonNullable<Route['replay']> {
  return (_context, { trailers }) => {
    const id = trailers.Installation
    if (id === undefined || !isId(id)) return undefined
    const { fleet } = parts.writer
    const installation = fleet.installation(id)
    if (installation !== undefined) return shown(parts, status, withGroup)(installation)
    const tombstone = fleet.tombstone(id)
    if (tombstone === undefined) return undefined
    const options = { withGroup, deletedAt: deletedAtOf(tombstone) }
    return json(status, installationView(parts, fleet, tombstone.spec.installation, options))
  }
}
