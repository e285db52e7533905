/** Signatures of SSH (PROTOCOL.sshsig), as `ssh-keygen -Y sign` and `git commit -S` make them. */
import { createHash, sign } from 'node:crypto'
import type { PrivateKey } from './private-key.ts'
import { mpint, string, uint32 } from './wire.ts'

const MAGIC = Buffer.from('SSHSIG')
const VERSION = 1
const HASH = 'sha512'
const LINES = /.{1,70}/g

/** @returns the signature in its armor, with a newline at the end */
export function sshSignature(key: PrivateKey, namespace: string, message: Uint8Array): string {
  const about = [string(namespace), string(''), string(HASH)]
  const digest = createHash(HASH).update(message).digest()
  const signature = rawSignature(key, Buffer.concat([MAGIC, ...about, string(digest)]))
  const blob = Buffer.concat([
    MAGIC,
    uint32(VERSION),
    string(key.publicKey),
    ...about,
    string(Buffer.concat([string(key.algorithm), string(signature)])),
  ])
  const lines = blob.toString('base64').match(LINES) ?? []
  return ['-----BEGIN SSH SIGNATURE-----', ...lines, '-----END SSH SIGNATURE-----', ''].join('\n')
}

function rawSignature({ key, hash }: PrivateKey, data: Uint8Array): Buffer {
  if (key.asymmetricKeyType !== 'ec') return sign(hash ?? null, data, key)
  const pair = sign(hash, data, { key, dsaEncoding: 'ieee-p1363' })
  const half = pair.length / 2
  return Buffer.concat([mpint(pair.subarray(0, half)), mpint(pair.subarray(half))])
}
