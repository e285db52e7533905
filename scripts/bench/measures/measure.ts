import type { Fleets } from '../fleets.ts'
import type { Finding } from '../row.ts'
import type { Sizes } from './sizes.ts'

export interface Measure {
  readonly name: string
  run(fleets: Fleets, sizes: Sizes): Promise<Finding>
}
