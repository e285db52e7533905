/** Changes of an installation's configuration. */
import type { AllowedIpRange } from '../../fleet/intents.ts'
import { sizeNames, sizeOf } from '../../fleet/sizes.ts'
import { type UpdateInstallation, updateInstallation } from '../../fleet/transactions/installations/update.ts'
import type { HandlerContext, NewSecret, Parts } from '../context.ts'
import type { Answer } from '../routes.ts'
import { type Decoded, flag, list, object, text } from '../shapes.ts'
import { requireFreeInstallation, shown, statesOf } from './change-installation.ts'
import { PROBES, probesOf } from './create-installation.ts'
import { type Need, requireValid } from './need.ts'
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

export async function patchInstallationHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const read = readPatch(context)
  const id = context.id()
  requireFreeInstallation(parts, id)
  const { patch, secrets } = read(parts)
  return await context.submit({
    transaction: updateInstallation({ id, stateOf: statesOf(parts), patch }),
    secrets,
    answer: ({ installation }) => shown(parts, 202, false)(installation),
  })
}

export interface InstallationPatch {
  readonly patch: UpdateInstallation['patch']
  readonly secrets: readonly NewSecret[]
}

/**
 * Decodes and checks a patch; what comes back makes keys for its secrets.
 * @throws FleetError `invalid-json`, `invalid-request`
 */
export function readPatch(context: HandlerContext): (parts: Parts) => InstallationPatch {
  const body = context.decode(PATCH_INSTALLATION)
  requireValid((need) => check(body, need))
  return ({ writer, randomness }) => {
    const folder = `installations/${context.id()}`
    const collector = new SecretCollector(writer.fleet.settings, randomness, folder)
    const patch = patchOf(body, collector)
    return { patch, secrets: collector.secrets }
  }
}

function check(body: Body, need: Need): void {
  for (const field of ['OwnerID', 'Image', 'Version', 'Size'] as const)
    need(body[field] !== '', `/${field}`, 'must not be empty')
  need(!body.Size || sizeOf(body.Size) !== undefined, '/Size', `must be one of ${sizeNames().join(', ')}`)
  for (const [at, range] of (body.AllowedIPRanges ?? []).entries())
    need(
      isCidr(range.CIDRBlock ?? ''),
      `/AllowedIPRanges/${at}/CIDRBlock`,
      'must be an address, or a network such as 203.0.113.0/24',
    )
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
