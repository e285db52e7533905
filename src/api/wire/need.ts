import { type ErrorDetail, FleetError } from '../../fleet/errors.ts'

/** Notes an error unless something is fine. */
export type Need = (fine: boolean, pointer: string, detail: string) => void

/** @throws FleetError `invalid-request` with everything that `check` found */
export function requireValid(check: (need: Need) => void): void {
  const errors: ErrorDetail[] = []
  check((fine, pointer, detail) => {
    if (!fine) errors.push({ pointer, detail })
  })
  const first = errors[0]
  if (first === undefined) return
  throw new FleetError('invalid-request', `${first.pointer.slice(1)} ${first.detail}.`, { errors })
}
