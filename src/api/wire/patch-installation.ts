/** Changes of an installation's configuration. */
import { type ErrorDetail, FleetError } from '../../fleet/errors.ts'
import type { AllowedIpRange } from '../../fleet/intents.ts'
import { sizeNames, sizeOf } from '../../fleet/sizes.ts'
import { requireInstallation, type StateOf } from '../../fleet/transactions/installations/common.ts'
import { type UpdateInstallation, updateInstallation } from '../../fleet/transactions/installations/update.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { type Answer, json } from '../routes.ts'
import { type Decoded, flag, list, object, text } from '../shapes.ts'
import { installationView } from '../views/installation.ts'
import { PROBES, probesOf } from './create-installation.ts'
import { ENV_SHAPE, SecretCollector } from './values.ts'

const RANGE = object({ CIDRBlock: text(), Description: text(), Enabled: flag(), OwnerID: text() })
export const PATCH_INSTALLATION = object({
  OwnerID: text(),
  Image: text(),
  Version: text(),
  Size: text(),
  License: text(),
  AllowedIPRanges: list(RANGE),
  OverrideIPRanges: flag(),
  PriorityEnv: ENV_SHAPE,
  MattermostEnv: ENV_SHAPE,
  PodProbeOverrides: PROBES,
  Command: list(text()),
})
type Body = Decoded<typeof PATCH_INSTALLATION>

export async function patchInstallationHandler(
  parts: Parts,
  context: HandlerContext,
  stateOf: StateOf,
): Promise<Answer> {
  const body = context.decode(PATCH_INSTALLATION)
  const errors = check(body)
  if (errors.length > 0)
    throw new FleetError('invalid-request', `${errors[0]?.pointer.slice(1)} ${errors[0]?.detail}.`, {
      errors,
    })
  const id = context.id()
  requireInstallation(parts.writer.fleet, id)
  requireFree(parts.leases, 'installation', id)
  const collector = new SecretCollector(parts.writer.fleet.settings, parts.randomness, `installations/${id}`)
  const transaction = updateInstallation({ id, stateOf, patch: patchOf(body, collector) })
  return await context.submit({
    transaction,
    secrets: collector.secrets,
    answer: ({ installation }) =>
      json(202, installationView(parts, parts.writer.fleet, installation, { withGroup: false })),
  })
}

function check(body: Body): readonly ErrorDetail[] {
  const errors: ErrorDetail[] = []
  for (const field of ['OwnerID', 'Image', 'Version', 'Size'] as const)
    if (body[field] === '') errors.push({ pointer: `/${field}`, detail: 'must not be empty' })
  if (body.Size && sizeOf(body.Size) === undefined)
    errors.push({ pointer: '/Size', detail: `must be one of ${sizeNames().join(', ')}` })
  for (const [at, range] of (body.AllowedIPRanges ?? []).entries())
    if (!isCidr(range.CIDRBlock ?? ''))
      errors.push({
        pointer: `/AllowedIPRanges/${at}/CIDRBlock`,
        detail: 'must be an address, or a network such as 203.0.113.0/24',
      })
  return errors
}

function isCidr(text: string): boolean {
  const [address = '', given] = text.split('/')
  const bits = given ?? (address.includes(':') ? '128' : '32')
  const fields = address.split('.')
  if (fields.length === 4)
    return (
      fields.every((field) => /^\d{1,3}$/.test(field) && Number(field) < 256) &&
      /^\d{1,2}$/.test(bits) &&
      Number(bits) <= 32
    )
  return (
    /^[0-9a-f:]{2,39}$/i.test(address) &&
    address.includes(':') &&
    /^\d{1,3}$/.test(bits) &&
    Number(bits) <= 128
  )
}

function patchOf(body: Body, collector: SecretCollector): UpdateInstallation['patch'] {
  const env = collector.envPatch(body.MattermostEnv)
  const priorityEnv = collector.envPatch(body.PriorityEnv)
  const probes = probesOf(body.PodProbeOverrides)
  const ranges = body.AllowedIPRanges?.map(rangeOf)
  return {
    ...(body.OwnerID === undefined ? {} : { owner: body.OwnerID }),
    ...(body.Image === undefined ? {} : { image: body.Image }),
    ...(body.Version === undefined ? {} : { version: body.Version }),
    ...(body.Size === undefined ? {} : { size: body.Size }),
    ...(body.License === undefined
      ? {}
      : { licence: body.License === '' ? null : collector.keep('licence', body.License) }),
    ...(probes === undefined ? {} : { podProbeOverrides: probes }),
    ...(body.Command === undefined ? {} : { command: body.Command }),
    ...(env === undefined ? {} : { env }),
    ...(priorityEnv === undefined ? {} : { priorityEnv }),
    ...(ranges === undefined
      ? {}
      : {
          allowedIpRanges: (present = []) =>
            body.OverrideIPRanges === true ? ranges : merged(present, ranges),
        }),
  }
}

function rangeOf(range: Decoded<typeof RANGE>): AllowedIpRange {
  return {
    cidrBlock: range.CIDRBlock ?? '',
    ...(range.Description ? { description: range.Description } : {}),
    enabled: range.Enabled ?? false,
    ...(range.OwnerID ? { ownerId: range.OwnerID } : {}),
  }
}

/** By network; those that are there keep their place. */
function merged(
  present: readonly AllowedIpRange[],
  given: readonly AllowedIpRange[],
): readonly AllowedIpRange[] {
  const byBlock = new Map(present.map((range) => [range.cidrBlock, range]))
  for (const range of given) byBlock.set(range.cidrBlock, range)
  return [...byBlock.values()]
}
