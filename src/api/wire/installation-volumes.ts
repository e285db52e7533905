/** Volumes of installations: their files go to the secret backend, git holds where they are. */
import type { Volume } from '../../fleet/intents.ts'
import { addVolume, deleteVolume, updateVolume } from '../../fleet/transactions/installations/volumes.ts'
import type { HandlerContext, NewSecret, Parts } from '../context.ts'
import type { Answer, Route } from '../routes.ts'
import { base64, escapePointer, flag, map, object, text } from '../shapes.ts'
import { schemaOf } from '../views/schemas.ts'
import { changeInstallation, shown, statesOf } from './change-installation.ts'
import { type Need, requireValid } from './need.ts'
import { SecretCollector } from './values.ts'

const DATA = map(base64(), 'Content of files by name')
const CREATE = object({
  Name: text(),
  Data: DATA,
  Volume: object({ Type: text(), BackingSecret: text(), MountPath: text(), ReadOnly: flag() }),
})
const UPDATE = object({ Data: DATA, MountPath: text(), ReadOnly: flag() })
const NAME = /^[a-z]+[a-z0-9_-]*$/
const FILE_NAME = /^(?!\.\.?$)[-._a-zA-Z0-9]{1,253}$/
const INSTALLATION = { description: 'The installation', schema: schemaOf('Installation') }

export function volumeRoutes(parts: Parts, replay: NonNullable<Route['replay']>): readonly Route[] {
  const wire = { wire: true, role: 'writer', responses: { 202: INSTALLATION } } as const
  return [
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/volumes',
      operationId: 'createInstallationVolume',
      summary: 'Add a volume',
      request: CREATE,
      secretFields: ['Data'],
      replay,
      handler: (context) => create(parts, context),
    },
    {
      ...wire,
      method: 'PUT',
      path: '/api/installation/{id}/volume/{volume}',
      operationId: 'updateInstallationVolume',
      summary: 'Change a volume',
      request: UPDATE,
      secretFields: ['Data'],
      handler: (context) => update(parts, context),
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/installation/{id}/volume/{volume}',
      operationId: 'deleteInstallationVolume',
      summary: 'Remove a volume',
      handler: (context) =>
        changeInstallation(
          parts,
          context,
          deleteVolume({ id: context.id(), stateOf: statesOf(parts), name: context.param('volume') }),
          shown(parts, 202, false),
        ),
    },
  ]
}

type Files = Readonly<Record<string, Uint8Array>>

async function create(parts: Parts, context: HandlerContext): Promise<Answer> {
  const { Name: name = '', Data: data = {}, Volume: volume = {} } = context.decode(CREATE)
  requireValid((need) => {
    need(
      NAME.test(name) && name.length >= 3 && name.length <= 64,
      '/Name',
      'must have 3 to 64 lower-case letters, digits, _ and -, and start with a letter',
    )
    need(volume.Type === 'secret', '/Volume/Type', 'must be secret')
    checkPath(volume.MountPath ?? '', '/Volume/MountPath', need)
    need(Object.keys(data).length > 0, '/Data', 'must have at least one file')
    checkFiles(data, need)
  })
  const { secrets, stored } = store(parts, context, name, data)
  const transaction = addVolume({
    id: context.id(),
    stateOf: statesOf(parts),
    name,
    volume: {
      type: 'secret',
      mountPath: volume.MountPath ?? '',
      readOnly: volume.ReadOnly ?? false,
      ...stored,
    },
  })
  return await changeInstallation(parts, context, transaction, shown(parts, 202, false), secrets)
}

async function update(parts: Parts, context: HandlerContext): Promise<Answer> {
  const { Data: data, MountPath: mountPath, ReadOnly: readOnly } = context.decode(UPDATE)
  requireValid((need) => {
    if (mountPath !== undefined) checkPath(mountPath, '/MountPath', need)
    checkFiles(data ?? {}, need)
  })
  const name = context.param('volume')
  const files =
    data !== undefined && Object.keys(data).length > 0 ? store(parts, context, name, data) : undefined
  const transaction = updateVolume({
    id: context.id(),
    stateOf: statesOf(parts),
    name,
    patch: {
      ...files?.stored,
      ...(mountPath === undefined ? {} : { mountPath }),
      ...(readOnly === undefined ? {} : { readOnly }),
    },
  })
  return await changeInstallation(parts, context, transaction, shown(parts, 202, false), files?.secrets)
}

function checkPath(path: string, pointer: string, need: Need): void {
  need(/^\/[^\0:]*$/.test(path), pointer, 'must be an absolute path without a colon')
}

function checkFiles(data: Files, need: Need): void {
  for (const name of Object.keys(data))
    need(
      FILE_NAME.test(name),
      `/Data/${escapePointer(name)}`,
      'must be a file name of letters, digits, -, _ and .',
    )
}

/** Files in one value of the backend; in base64, because they may be anything. */
function store(
  { writer, randomness }: Parts,
  context: HandlerContext,
  name: string,
  data: Files,
): {
  readonly secrets: readonly NewSecret[]
  readonly stored: Pick<Volume, 'secret' | 'backingSecret' | 'encoding'>
} {
  const collector = new SecretCollector(writer.fleet.settings, randomness, `installations/${context.id()}`)
  const files = Object.entries(data).map(([file, content]) => [file, Buffer.from(content).toString('base64')])
  const secret = collector.keep(`volume-${name}`, JSON.stringify(Object.fromEntries(files)))
  // A new name with every new content: pods see the change.
  const backingSecret = secret.key.slice(secret.key.lastIndexOf('/') + 1)
  return { secrets: collector.secrets, stored: { secret, backingSecret, encoding: 'base64' } }
}
