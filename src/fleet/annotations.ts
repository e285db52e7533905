/** Placement annotations. */
import { FleetError } from './errors.ts'
import { type Id, idFromBytes } from './ids.ts'

const PATTERN = /^[a-z]+[a-z0-9_-]*$/

/** Id of an annotation: the same for the same name everywhere, as in the original's one table of names. */
export function annotationId(name: string): Id {
  const bytes = new Uint8Array(26)
  let hash = 0x811c9dc5
  for (let round = 0; round < bytes.length; round += 1) {
    for (let i = 0; i < name.length; i += 1) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193)
    hash = Math.imul(hash ^ round, 0x01000193)
    bytes[round] = hash >>> 16
  }
  return idFromBytes(bytes)
}

/** @throws FleetError `invalid-request` */
export function requireAnnotationNames(names: readonly string[], pointer: string): readonly string[] {
  const errors = names.flatMap((name, at) => {
    if (PATTERN.test(name) && name.length >= 3 && name.length <= 64) return []
    return [
      {
        pointer: `${pointer}/${at}`,
        detail: 'must have 3 to 64 lower-case letters, digits, _ and -, and start with a letter',
      },
    ]
  })
  if (errors.length === 0) return [...new Set(names)]
  throw new FleetError('invalid-request', `An annotation ${errors[0]?.detail ?? 'is not valid'}.`, { errors })
}

/** Annotations of something new: none twice. @throws FleetError `invalid-request` */
export function requireNewAnnotations(names: readonly string[], pointer: string): readonly string[] {
  const repeated = names.findIndex((name, at) => names.indexOf(name) !== at)
  if (repeated === -1) return requireAnnotationNames(names, pointer)
  const detail = `repeats ${names[repeated]}; give each annotation once`
  throw new FleetError('invalid-request', `An annotation ${detail}.`, {
    errors: [{ pointer: `${pointer}/${repeated}`, detail }],
  })
}
