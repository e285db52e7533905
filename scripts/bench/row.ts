/** One line of the benchmark: a figure of Fleetwright beside the same figure of a named peer. */

export interface Row {
  readonly name: string
  readonly ours: number
  /** null: the peer is not on this machine. */
  readonly peer: number | null
  readonly peerName: string
  readonly unit: string
  /** `ours / peer`. */
  readonly ratio: number | null
  readonly aim: number
  /** Which way of the ratio is better. */
  readonly better: 'higher' | 'lower'
}

/** What a measure found, with figures worth telling beside the row. */
export interface Finding {
  readonly row: Row
  readonly notes: readonly string[]
}

export function rowOf(row: Omit<Row, 'ratio'>): Row {
  return { ...row, ratio: row.peer === null ? null : row.ours / row.peer }
}

export function median(values: readonly number[]): number {
  return percentile(values, 50)
}

/** Of a list that need not be sorted; nearest rank. @param percent 0 to 100 */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  const found = sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))]
  if (found === undefined) throw new RangeError('no values')
  return found
}

/** Seconds that work takes, and what it gives. */
export async function timed<Value>(work: () => Promise<Value>): Promise<{ seconds: number; value: Value }> {
  const started = performance.now()
  const value = await work()
  return { seconds: (performance.now() - started) / 1000, value }
}

export function milliseconds(seconds: number): string {
  return `${(seconds * 1000).toFixed(1)} ms`
}
