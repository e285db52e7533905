/** The helpers of templates: the only way a value gets into a manifest. */
import { FleetError } from '../fleet/errors.ts'
import { emitBlock, emitScalar } from '../fleet/yaml/emit.ts'

export const HELPERS = ['yaml', 'block', 'if', 'unless', 'each'] as const

/** `{{yaml value}}`: one scalar, quoted where any parser could misread it. @throws FleetError `invalid-template` */
export function yamlHelper(value: unknown): string {
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number')
    return emitScalar(value)
  throw new FleetError(
    'invalid-template',
    `{{yaml}} takes text, a number, true or false, not ${typeof value}; use {{block}} for lists and objects.`,
  )
}

/** `{{block value indent=4}}`: an object or list as lines of their own. @throws FleetError `invalid-template` */
export function blockHelper(
  value: unknown,
  options: { readonly hash: Readonly<Record<string, unknown>> },
): string {
  const { indent } = options.hash
  if (typeof value !== 'object' || value === null || typeof indent !== 'number')
    throw new FleetError('invalid-template', '{{block}} takes a list or an object, and indent=<spaces>.')
  return emitBlock(value, indent)
}
