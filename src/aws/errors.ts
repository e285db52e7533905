/** Errors of AWS as errors of ours, for what is only looked at. */
import { FleetError } from '../fleet/errors.ts'
import { factsOf, failureOf, refusalOf } from './failure.ts'

/** @param what was tried, with the right it needs, for example `rds:DescribeDBClusters` */
export function toAwsError(error: unknown, what: string): FleetError {
  const failure = failureOf(error)
  const refusal = refusalOf(failure)
  if (refusal !== undefined)
    return new FleetError('aws-refused', `AWS refuses ${what}: ${refusal} (${factsOf(failure)})`)
  return new FleetError('aws-unavailable', `AWS does not answer ${what} now (${factsOf(failure)})`)
}
