/** Strings that must not be mixed up carry a brand; each is parsed once, at the boundary. */
declare const brand: unique symbol
export type Brand<T, Name extends string> = T & { readonly [brand]: Name }

/** 26 characters of the alphabet below, as the original provisioning server makes them. */
export type Id = Brand<string, 'Id'>
/** Git object id, 40 hex digits (SHA-1 repositories only). */
export type ObjectId = Brand<string, 'ObjectId'>
/** Full ref name, for example `refs/heads/main`. */
export type RefName = Brand<string, 'RefName'>
/** Path of a file inside the fleet repository, `/`-separated, relative, no `.` or `..` segments. */
export type FleetPath = Brand<string, 'FleetPath'>

/** The 32 letters of ids, as mattermost-cloud's encoding has them (zbase32). */
export const ID_ALPHABET = 'ybndrfg8ejkmcpqxot1uwisza345h769'
const ID_LENGTH = 26
const ID_PATTERN = /^[a-z0-9]{26}$/
const OBJECT_ID_PATTERN = /^[0-9a-f]{40}$/

/** The shards of a cluster: one folder for each first letter of an id. */
export const SHARDS: readonly string[] = [...ID_ALPHABET].sort()

export function isId(text: string): text is Id {
  return ID_PATTERN.test(text)
}

export function isObjectId(text: string): text is ObjectId {
  return OBJECT_ID_PATTERN.test(text)
}

/**
 * Makes an id of random bytes.
 * @param bytes at least 26 random bytes; five bits of each are used, so every letter is uniform
 */
export function idFromBytes(bytes: Uint8Array): Id {
  if (bytes.length < ID_LENGTH) throw new RangeError(`an id needs ${ID_LENGTH} bytes, got ${bytes.length}`)
  let id = ''
  for (let i = 0; i < ID_LENGTH; i += 1) id += ID_ALPHABET[(bytes[i] ?? 0) & 31]
  return id as Id
}
