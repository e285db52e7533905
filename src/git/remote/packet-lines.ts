/** Git's packet lines: four hexadecimal digits of length, then the text. */

const LONGEST = 65_516

export const FLUSH = Buffer.from('0000')
export const DELIMITER = Buffer.from('0001')

export function packetLine(text: string): Buffer {
  const content = Buffer.from(text)
  if (content.length > LONGEST) throw new RangeError(`a packet line of ${content.length} bytes`)
  return Buffer.concat([Buffer.from((content.length + 4).toString(16).padStart(4, '0')), content])
}

export interface PacketLines {
  readonly lines: readonly Buffer[]
  /** Whether the flush that ends a section came. */
  readonly whole: boolean
}

/** Lines up to the first flush. A text that breaks off gives what came, not `whole`. */
export function readPacketLines(bytes: Buffer): PacketLines {
  const lines: Buffer[] = []
  for (let at = 0; at + 4 <= bytes.length; ) {
    const digits = bytes.toString('latin1', at, at + 4)
    const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
    if (length === 0) return { lines, whole: true }
    if (!(length >= 4) || at + length > bytes.length) break
    lines.push(bytes.subarray(at + 4, at + length))
    at += length
  }
  return { lines, whole: false }
}

export interface SideBands {
  readonly data: Buffer
  /** What the server says to people while it works, and why it gave up. */
  readonly words: string
  readonly failed: boolean
  readonly whole: boolean
}

/** Takes the side bands apart: 1 data, 2 progress, 3 fatal error. */
export function readSideBands(bytes: Buffer): SideBands {
  const { lines, whole } = readPacketLines(bytes)
  const band = (number: number): Buffer =>
    Buffer.concat(lines.filter((line) => line[0] === number).map((line) => line.subarray(1)))
  const fatal = band(3).toString('utf8')
  return { data: band(1), words: `${band(2).toString('utf8')}${fatal}`, failed: fatal !== '', whole }
}

/** Reads lines from a stream up to the first flush, whatever pieces it comes in. */
export class PacketLineStream {
  readonly lines: Buffer[] = []
  #rest = Buffer.alloc(0)
  #state: 'open' | 'whole' | 'broken' = 'open'

  /** `broken`: what came is no packet line. */
  get state(): 'open' | 'whole' | 'broken' {
    return this.#state
  }

  /** What came after the flush, or is no whole line yet. */
  get rest(): Buffer {
    return this.#rest
  }

  push(chunk: Buffer): void {
    this.#rest = Buffer.concat([this.#rest, chunk])
    let at = 0
    while (this.#state === 'open' && at + 4 <= this.#rest.length) {
      const digits = this.#rest.toString('latin1', at, at + 4)
      const length = /^[0-9a-f]{4}$/i.test(digits) ? Number.parseInt(digits, 16) : Number.NaN
      if (length === 0) this.#state = 'whole'
      else if (!(length >= 4)) this.#state = 'broken'
      else if (at + length > this.#rest.length) break
      else this.lines.push(this.#rest.subarray(at + 4, at + length))
      if (this.#state !== 'broken') at += Math.max(length, 4)
    }
    this.#rest = this.#rest.subarray(at)
  }
}
