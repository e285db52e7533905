/** What every secret backend takes: keys and values that all of them can hold. */
import { FleetError } from '../fleet/errors.ts'

const KEY = /^[a-zA-Z0-9][a-zA-Z0-9_.-]*(?:\/[a-zA-Z0-9][a-zA-Z0-9_.-]*)*$/
const LONGEST_KEY = 400
/** AWS Secrets Manager takes no more; the same everywhere, so that a fleet can change its backend. */
const LARGEST_VALUE = 65_536

/** @throws FleetError `invalid-request` for what could leave a folder or is no name elsewhere */
export function requireKey(key: string): void {
  if (KEY.test(key) && key.length <= LONGEST_KEY) return
  throw new FleetError(
    'invalid-request',
    `The secret key ${JSON.stringify(key.slice(0, 80))} may have letters, digits, _, . and - only, in names with / between them.`,
  )
}

/** @throws FleetError `invalid-request`, without the value */
export function requireValue(key: string, value: string): void {
  const bytes = Buffer.byteLength(value)
  if (bytes > 0 && bytes <= LARGEST_VALUE) return
  throw new FleetError(
    'invalid-request',
    `The secret value for ${key} has ${bytes} bytes; it must have 1 to ${LARGEST_VALUE}.`,
  )
}

/** @throws FleetError always: keys are made new for every value, so this is a defect or somebody else's key */
export function refuseOtherValue(key: string): never {
  throw new FleetError('secret-exists', `The secret key ${key} holds another value already.`)
}
