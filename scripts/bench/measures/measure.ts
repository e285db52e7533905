import type { Fleets } from '../fleets.ts'
import type { Finding } from '../row.ts'
import type { Sizes } from './sizes.ts'

export interface Measure {
  readonly name: string
  /** Why it cannot run on this machine; absent, or undefined: it can. */
  missing?(): Promise<string | undefined>
  run(fleets: Fleets, sizes: Sizes): Promise<Finding>
}
