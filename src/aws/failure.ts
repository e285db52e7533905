/** What an error of AWS says. AWS repeats rejected values in its messages, so no message and no cause goes on. */

export interface AwsFailure {
  readonly name: string
  readonly status: number | undefined
  readonly requestId: string | undefined
}

/** What may be told of an error. */
export function failureOf(error: unknown): AwsFailure {
  const name = error instanceof Error && /^[A-Za-z]{1,80}$/.test(error.name) ? error.name : 'UnknownError'
  const metadata: unknown =
    typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined
  const status = field(metadata, 'httpStatusCode')
  const requestId = field(metadata, 'requestId')
  return {
    name,
    status: typeof status === 'number' ? status : undefined,
    requestId: typeof requestId === 'string' ? requestId : undefined,
  }
}

/** Name, status and request of an error, for people and the support of AWS. */
export function factsOf({ name, status, requestId }: AwsFailure): string {
  const facts = [
    name,
    status === undefined ? undefined : `status ${status}`,
    requestId && `request ${requestId}`,
  ]
  return facts.filter((fact) => fact !== undefined && fact !== '').join(', ')
}

const REFUSALS: Readonly<Record<string, string>> = {
  AccessDenied: 'the credentials may not do this',
  AccessDeniedException: 'the credentials may not do this',
  AllAccessDisabled: 'the credentials may not do this',
  AuthFailure: 'the credentials are not known there',
  CredentialsProviderError:
    'no AWS credentials were found; give the pod a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  ExpiredToken: 'the credentials have expired',
  ExpiredTokenException: 'the credentials have expired',
  Forbidden: 'the credentials may not do this',
  InvalidAccessKeyId: 'the credentials are not known there',
  InvalidClientTokenId: 'the credentials are not known there',
  InvalidSignatureException: 'the signature does not match; check the credentials and the clock',
  NotAuthorized: 'the credentials may not do this',
  SignatureDoesNotMatch: 'the signature does not match; check the credentials and the clock',
  TokenProviderError: 'no AWS credentials were found; log in, or give the pod a role',
  UnauthorizedOperation: 'the credentials may not do this',
  UnrecognizedClientException: 'the credentials are not known there',
}

/** Why it said no and will say so again; undefined: it may pass. */
export function refusalOf({ name }: AwsFailure): string | undefined {
  return REFUSALS[name]
}

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? Reflect.get(value, name) : undefined
}
