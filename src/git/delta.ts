/** Deltas of git packs between two versions of one tree: what is the same at both ends is copied. */

const LONGEST_COPY = 0xffffff
const LONGEST_INSERT = 127

/** Instructions that make `target` of `base`; undefined when they save less than half. */
export function deltaBetween(base: Uint8Array, target: Uint8Array): Uint8Array | undefined {
  const shortest = Math.min(base.length, target.length)
  let prefix = 0
  while (prefix < shortest && base[prefix] === target[prefix]) prefix += 1
  let suffix = 0
  while (suffix < shortest - prefix && base[base.length - 1 - suffix] === target[target.length - 1 - suffix])
    suffix += 1
  const inserted = target.length - prefix - suffix
  if (inserted * 2 > target.length || target.length < 64) return undefined
  const bytes: number[] = [...variable(base.length), ...variable(target.length)]
  copy(bytes, 0, prefix)
  for (let at = prefix; at < prefix + inserted; at += LONGEST_INSERT) {
    const length = Math.min(LONGEST_INSERT, prefix + inserted - at)
    bytes.push(length)
    for (let i = 0; i < length; i += 1) bytes.push(target[at + i] ?? 0)
  }
  copy(bytes, base.length - suffix, suffix)
  return Uint8Array.from(bytes)
}

function copy(bytes: number[], from: number, length: number): void {
  for (let done = 0; done < length; ) {
    const size = Math.min(LONGEST_COPY, length - done)
    const at = from + done
    const head = bytes.length
    let flags = 0x80
    bytes.push(flags)
    for (let i = 0; i < 4; i += 1) {
      const byte = (at >>> (8 * i)) & 0xff
      if (byte === 0) continue
      bytes.push(byte)
      flags |= 1 << i
    }
    for (let i = 0; i < 3; i += 1) {
      const byte = (size >>> (8 * i)) & 0xff
      if (byte === 0) continue
      bytes.push(byte)
      flags |= 0x10 << i
    }
    bytes[head] = flags
    done += size
  }
}

function variable(value: number): number[] {
  const bytes: number[] = []
  let rest = value
  while (rest > 0x7f) {
    bytes.push((rest & 0x7f) | 0x80)
    rest >>>= 7
  }
  bytes.push(rest)
  return bytes
}
