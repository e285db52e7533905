/** The data types of SSH (RFC 4251) that keys and signatures are made of. */

export interface WireReader {
  /** @throws RangeError when the data ends before */
  uint32(): number
  string(): Buffer
  text(): string
  /** What was not read yet. */
  rest(): Buffer
}

export function readWire(data: Uint8Array): WireReader {
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.length)
  let at = 0
  function take(length: number): Buffer {
    if (length > buffer.length - at) throw new RangeError('the data ends too early')
    at += length
    return buffer.subarray(at - length, at)
  }
  const string = (): Buffer => take(take(4).readUInt32BE())
  return {
    uint32: () => take(4).readUInt32BE(),
    string,
    text: () => string().toString('latin1'),
    rest: () => buffer.subarray(at),
  }
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(value)
  return bytes
}

export function string(value: string | Uint8Array): Buffer {
  const bytes = Buffer.from(value)
  return Buffer.concat([uint32(bytes.length), bytes])
}

/** A number that is not negative; its first bit is no sign. */
export function mpint(value: Uint8Array): Buffer {
  const bytes = withoutZeros(value)
  return string((bytes[0] ?? 0) >= 0x80 ? Buffer.concat([Buffer.alloc(1), bytes]) : bytes)
}

export function withoutZeros(value: Uint8Array): Uint8Array {
  const first = value.findIndex((byte) => byte !== 0)
  return first < 0 ? value.subarray(value.length) : value.subarray(first)
}
