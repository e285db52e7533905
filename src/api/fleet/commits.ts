import { FleetError } from '../../fleet/errors.ts'
import { isObjectId, type ObjectId } from '../../fleet/ids.ts'

/**
 * A commit id of a request.
 * @param pointer JSON pointer of where it was
 * @throws FleetError `invalid-request`
 */
export function readCommit(text: string, pointer: string): ObjectId {
  if (isObjectId(text)) return text
  const detail = 'must be a commit id of 40 hexadecimal digits'
  throw new FleetError('invalid-request', `${pointer} ${detail}.`, { errors: [{ pointer, detail }] })
}
