/** The answer to a push: `report-status`, with what the server said to people beside it. */
import { FleetError } from '../../fleet/errors.ts'
import type { RefUpdate } from '../contracts.ts'
import { readPacketLines, readSideBands } from './packet-lines.ts'
import { plain } from './words.ts'

export type PushReport =
  | { readonly result: 'accepted' }
  /** Nothing was written. `lease`: the server says itself that another push was first. */
  | { readonly result: 'rejected'; readonly lease: boolean; readonly words: string }

/** Git's own words when a ref is not where the lease says; other servers are found out by looking at their refs. */
const LEASE =
  /but expected|reference already exists|unable to resolve reference|reference is missing|fetch first|incorrect old value/

/**
 * @throws FleetError `remote-unavailable` when the answer is not whole or contradicts itself: it is not known then what was written
 */
export function readReport(body: Buffer, updates: readonly RefUpdate[]): PushReport {
  const bands = readSideBands(body)
  const report = readPacketLines(bands.data)
  if (!bands.whole || !report.whole || bands.failed) throw unclear(bands.words || 'the answer breaks off')
  const lines = report.lines.map((line) => line.toString('utf8').replace(/\n$/, ''))
  const unpacked = lines.find((line) => line.startsWith('unpack '))
  if (unpacked === undefined) throw unclear('the answer has no report')
  const accepted = new Set(lines.filter((line) => line.startsWith('ok ')).map((line) => line.slice(3)))
  const rejections = lines.filter((line) => line.startsWith('ng ')).map((line) => line.slice(3))
  const all = updates.every(({ ref }) => accepted.has(ref))
  if (unpacked === 'unpack ok' && all && rejections.length === 0) return { result: 'accepted' }
  if (accepted.size > 0) throw unclear('it accepted some refs of an atomic push only')
  if (unpacked === 'unpack ok' && rejections.length === 0) throw unclear('the report names no refs')
  const reasons = unpacked === 'unpack ok' ? rejections : [unpacked, ...rejections]
  const words = plain(`${reasons.join('; ')}${bands.words === '' ? '' : ` (${bands.words})`}`)
  return { result: 'rejected', lease: LEASE.test(`${reasons.join('\n')}\n${bands.words}`), words }
}

function unclear(words: string): FleetError {
  return new FleetError(
    'remote-unavailable',
    `It is not known whether the fleet repository took the push: ${plain(words)}.`,
  )
}
