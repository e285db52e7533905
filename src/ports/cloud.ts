/** What AWS itself says of things that the fleet needs. Implemented in src/aws; nothing here changes anything. */

import type { BucketFacts, DatabaseFacts, KubernetesFacts } from '../fleet/observed/cloud.ts'

/** Every call may throw FleetError `aws-unavailable` or `aws-refused`: then nothing is known, in particular not that something is gone. */
export interface Cloud {
  /** All RDS clusters of the account in the region, in pages. Complete when it ends without an error. */
  databases(signal: AbortSignal): AsyncIterable<readonly DatabaseFacts[]>
  /** Undefined: there is none of that name. */
  bucket(name: string, signal: AbortSignal): Promise<BucketFacts | undefined>
  /** Undefined: there is none of that name. */
  kubernetes(name: string, signal: AbortSignal): Promise<KubernetesFacts | undefined>
  close(): void
}
