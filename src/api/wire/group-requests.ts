/** Decoding and checking of requests that make and change groups. */
import { requireNewAnnotations } from '../../fleet/annotations.ts'
import type { GroupConfiguration } from '../../fleet/intents.ts'
import { createGroup, requireGroup, updateGroup } from '../../fleet/transactions/groups/groups.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { type Answer, json } from '../routes.ts'
import { type Decoded, flag, integer, list, object, text } from '../shapes.ts'
import { groupView } from '../views/group.ts'
import { requireValid } from './need.ts'
import { checkScheduling, SCHEDULING, schedulingOf } from './scheduling.ts'
import { ENV_SHAPE, newId, SecretCollector } from './values.ts'

export const CREATE_GROUP = object({
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
export const UPDATE_GROUP = object({
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

export async function createGroupHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(CREATE_GROUP)
  requireValid((need) => {
    need(body.Name !== undefined && body.Name !== '', '/Name', 'must be given')
    need((body.MaxRolling ?? 0) >= 0, '/MaxRolling', 'must be 0 or more')
    checkScheduling(body.Scheduling, need)
  })
  const id = newId(parts.randomness)
  const collector = new SecretCollector(parts.writer.fleet.settings, parts.randomness, `groups/${id}`)
  const transaction = createGroup({
    id,
    name: body.Name ?? '',
    description: body.Description ?? '',
    maxRolling: body.MaxRolling ?? 0,
    apiLocked: body.APISecurityLock ?? false,
    annotations: requireNewAnnotations(body.Annotations ?? [], '/Annotations'),
    configuration: configurationOf(body, collector),
  })
  return await context.submit({
    transaction,
    secrets: collector.secrets,
    answer: (group) => json(200, groupView(parts, group)),
  })
}

function configurationOf(body: Decoded<typeof CREATE_GROUP>, collector: SecretCollector): GroupConfiguration {
  const env = collector.env('MattermostEnv', body.MattermostEnv)
  const scheduling = schedulingOf(body.Scheduling)
  return {
    ...(body.Version ? { version: body.Version } : {}),
    ...(body.Image ? { image: body.Image } : {}),
    ...(env === undefined ? {} : { env }),
    ...(scheduling ? { scheduling } : {}),
  }
}

export async function updateGroupHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(UPDATE_GROUP)
  requireValid((need) => {
    need(body.Name !== '', '/Name', 'must not be empty')
    need((body.MaxRolling ?? 0) >= 0, '/MaxRolling', 'must be 0 or more')
    checkScheduling(body.Scheduling, need)
  })
  const id = context.id()
  requireGroup(parts.writer.fleet, id)
  requireFree(parts.leases, 'group', id)
  const collector = new SecretCollector(parts.writer.fleet.settings, parts.randomness, `groups/${id}`)
  const env = collector.envPatch(body.MattermostEnv)
  const scheduling = schedulingOf(body.Scheduling)
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
