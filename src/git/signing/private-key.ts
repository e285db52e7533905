/**
 * Private keys in OpenSSH's own format (PROTOCOL.key), which node:crypto does not read: ed25519, ECDSA, RSA, without a
 * passphrase.
 */
import { createPrivateKey, createPublicKey, type JsonWebKey, type KeyObject, sign, verify } from 'node:crypto'
import { FleetError } from '../../fleet/errors.ts'
import { mpint, readWire, string, type WireReader, withoutZeros } from './wire.ts'

/** Of an RSA key; forges take no shorter ones. */
const LEAST_BITS = 2048
const MAGIC = 'openssh-key-v1\0'
const ARMOR =
  /^\s*-----BEGIN OPENSSH PRIVATE KEY-----\s+([A-Za-z0-9+/=\s]+)-----END OPENSSH PRIVATE KEY-----\s*$/
/** Curves as SSH and as JSON Web Keys name them, with the hash that SSH prescribes and the bytes of a coordinate. */
const CURVES = {
  nistp256: { crv: 'P-256', hash: 'sha256', bytes: 32 },
  nistp384: { crv: 'P-384', hash: 'sha384', bytes: 48 },
  nistp521: { crv: 'P-521', hash: 'sha512', bytes: 66 },
} as const

export interface PrivateKey {
  readonly key: KeyObject
  /** As `authorized_keys` has it, not yet in base64. */
  readonly publicKey: Buffer
  /** `ssh-ed25519`, `ssh-rsa`, `ecdsa-sha2-nistp256` … */
  readonly type: string
  /** Name of the algorithm in a signature. */
  readonly algorithm: string
  /** For node:crypto; an ed25519 key has its own. */
  readonly hash: string | undefined
}

type Parameters = Pick<PrivateKey, 'algorithm' | 'hash'> & {
  readonly jwk: JsonWebKey
  /** What follows the type in the public key. */
  readonly publicFields: readonly Buffer[]
}

/** @throws FleetError `invalid-configuration`, which says nothing of the key itself */
export function parsePrivateKey(text: string): PrivateKey {
  try {
    return parse(text)
  } catch (error) {
    if (error instanceof FleetError) throw error
    throw unusable('it is damaged')
  }
}

function parse(text: string): PrivateKey {
  const base64 = ARMOR.exec(text)?.[1]
  if (base64 === undefined)
    throw unusable(
      'it does not start with BEGIN OPENSSH PRIVATE KEY; ssh-keygen -p -f <file> rewrites other formats',
    )
  const data = Buffer.from(base64, 'base64')
  if (data.toString('latin1', 0, MAGIC.length) !== MAGIC) throw unusable('it is damaged')
  const file = readWire(data.subarray(MAGIC.length))
  const cipher = file.text()
  if (cipher !== 'none')
    throw unusable('it has a passphrase; give a key without one, in a file that only Fleetwright may read')
  file.string()
  file.string()
  if (file.uint32() !== 1) throw unusable('it must hold one key')
  const given = file.string()
  const secret = readWire(file.string())
  const check = secret.uint32()
  if (secret.uint32() !== check) throw unusable('it is damaged')
  const type = secret.text()
  const { jwk, publicFields, ...rest } = parametersOf(type, secret)
  const publicKey = Buffer.concat([string(type), ...publicFields])
  const parsed = { key: createPrivateKey({ key: jwk, format: 'jwk' }), publicKey, type, ...rest }
  if (!publicKey.equals(given) || !isPair(parsed, jwk))
    throw unusable('its public and its private half do not belong together')
  return parsed
}

function parametersOf(type: string, secret: WireReader): Parameters {
  if (type === 'ssh-ed25519') return ed25519(secret)
  if (type === 'ssh-rsa') return rsa(secret)
  if (type.startsWith('ecdsa-sha2-')) return ecdsa(type, secret)
  throw unusable(`it is a key of type ${printable(type)}; ed25519, ECDSA and RSA are supported`)
}

function ed25519(secret: WireReader): Parameters {
  const x = secret.string()
  const seed = secret.string().subarray(0, 32)
  return {
    jwk: { kty: 'OKP', crv: 'Ed25519', x: base64url(x), d: base64url(seed) },
    publicFields: [string(x)],
    algorithm: 'ssh-ed25519',
    hash: undefined,
  }
}

function ecdsa(type: string, secret: WireReader): Parameters {
  const name = secret.text()
  const curve = Object.entries(CURVES).find(([known]) => known === name)?.[1]
  if (curve === undefined || type !== `ecdsa-sha2-${name}`) throw unusable('its curve is not known')
  const point = secret.string()
  const d = Buffer.concat([Buffer.alloc(curve.bytes), withoutZeros(secret.string())]).subarray(-curve.bytes)
  const x = point.subarray(1, 1 + curve.bytes)
  const y = point.subarray(1 + curve.bytes)
  return {
    jwk: { kty: 'EC', crv: curve.crv, x: base64url(x), y: base64url(y), d: base64url(d) },
    publicFields: [string(name), string(point)],
    algorithm: type,
    hash: curve.hash,
  }
}

function rsa(secret: WireReader): Parameters {
  const [n, e, d, qi, p, q] = [0, 1, 2, 3, 4, 5].map(() => withoutZeros(secret.string()))
  if (n === undefined || e === undefined || d === undefined || p === undefined || q === undefined)
    throw unusable('it is damaged')
  if (n.length * 8 < LEAST_BITS)
    throw unusable(`it is an RSA key of fewer than ${LEAST_BITS} bits; make one with ssh-keygen -t ed25519`)
  const jwk = {
    kty: 'RSA',
    ...{ n: base64url(n), e: base64url(e), d: base64url(d), qi: base64url(qi) },
    ...{ p: base64url(p), q: base64url(q) },
    dp: base64url(remainder(d, p)),
    dq: base64url(remainder(d, q)),
  }
  return { jwk, publicFields: [mpint(e), mpint(n)], algorithm: 'rsa-sha2-512', hash: 'sha512' }
}

/** d mod (p - 1), which JSON Web Keys have and SSH keys do not. */
function remainder(d: Uint8Array, p: Uint8Array): Buffer {
  const number = (bytes: Uint8Array): bigint => BigInt(`0x${Buffer.from(bytes).toString('hex')}`)
  const hex = (number(d) % (number(p) - 1n)).toString(16)
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex')
}

function isPair({ key, hash }: PrivateKey, { kty, crv, x, y, n, e }: JsonWebKey): boolean {
  const given = Object.entries({ kty, crv, x, y, n, e }).filter(([, value]) => value !== undefined)
  const publicHalf = createPublicKey({ key: Object.fromEntries(given), format: 'jwk' })
  const trial = Buffer.from('trial')
  return verify(hash ?? null, trial, publicHalf, sign(hash ?? null, trial, key))
}

function base64url(bytes: Uint8Array | undefined): string {
  return Buffer.from(bytes ?? []).toString('base64url')
}

function printable(text: string): string {
  return text.replace(/[^\x21-\x7e]/g, '?').slice(0, 50)
}

function unusable(why: string): FleetError {
  return new FleetError('invalid-configuration', `The signing key cannot be used: ${why}.`)
}
