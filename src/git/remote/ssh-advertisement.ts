/** What a git server says first over ssh: its capabilities and, before protocol version 2, its refs. */
import type { Advertisement } from './transport.ts'

/** Undefined: no git server says this. */
export function readAdvertisement(packets: readonly Buffer[]): Advertisement | undefined {
  const lines = packets.map((line) => line.toString('utf8').replace(/\n$/, ''))
  if (lines[0] === 'version 2')
    return {
      protocolVersion: 2,
      capabilities: new Set(lines.slice(1).map((line) => line.split('=')[0] ?? '')),
      refs: new Map(),
      symrefs: new Map(),
    }
  return readVersion1(lines[0] === 'version 1' ? lines.slice(1) : lines)
}

function readVersion1(lines: readonly string[]): Advertisement | undefined {
  const capabilities = new Set((lines[0]?.split('\0')[1] ?? '').split(' ').filter((name) => name !== ''))
  if (capabilities.size === 0) return undefined
  const refs = new Map<string, string>()
  for (const line of lines) {
    const [, oid = '', ref = ''] = /^([0-9a-f]{40}|[0-9a-f]{64}) ([^\0]+)/.exec(line) ?? []
    // `capabilities^{}`: there are no refs.
    if (ref !== '' && ref !== 'capabilities^{}' && ref !== '.have') refs.set(ref, oid)
  }
  const symrefs = new Map<string, string>()
  for (const capability of capabilities) {
    const [, from = '', to = ''] = /^symref=([^:]+):(.+)$/.exec(capability) ?? []
    if (from !== '') symrefs.set(from, to)
  }
  return { protocolVersion: 1, capabilities, refs, symrefs }
}
