/** Errors of AWS to errors of ours. AWS repeats rejected values in its messages, so no message and no cause goes on. */
import { factsOf, failureOf } from '../../aws/failure.ts'
import { FleetError } from '../../fleet/errors.ts'

/** It said no and will say so again: rights, keys, limits. Everything else may pass. */
const REFUSED: Readonly<Record<string, string>> = {
  AccessDeniedException:
    'the credentials may not do this; allow secretsmanager:CreateSecret, GetSecretValue, DeleteSecret and ListSecrets',
  UnrecognizedClientException: 'the credentials are not known there',
  InvalidClientTokenId: 'the credentials are not known there',
  InvalidSignatureException: 'the signature does not match; check the credentials and the clock',
  SignatureDoesNotMatch: 'the signature does not match; check the credentials and the clock',
  ExpiredTokenException: 'the credentials have expired',
  ExpiredToken: 'the credentials have expired',
  CredentialsProviderError:
    'no AWS credentials were found; give the pod a role, or set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY',
  TokenProviderError: 'no AWS credentials were found; log in, or give the pod a role',
  LimitExceededException: 'the account has as many secrets as it may; ask for a higher quota',
  EncryptionFailure: 'the KMS key cannot be used; check that it is enabled and may be used',
  DecryptionFailure: 'the KMS key cannot be used; check that it is enabled and may be used',
  MalformedPolicyDocumentException: 'a policy is not valid',
  PublicPolicyException: 'a policy would make the secret public',
  PreconditionNotMetException: 'the secret is managed by another service',
  InvalidParameterException: 'a parameter is not valid',
  InvalidRequestException: 'the secret is in a state that does not allow this',
  ValidationException: 'a parameter is not valid',
}

/** @param what was tried, for example "store a secret" */
export function toFleetError(error: unknown, what: string): FleetError {
  const failure = failureOf(error)
  const facts = factsOf(failure)
  const reason = REFUSED[failure.name]
  if (reason !== undefined)
    return new FleetError(
      'secret-backend-refused',
      `AWS Secrets Manager refused to ${what}: ${reason} (${facts}).`,
      { aws: failure },
    )
  return new FleetError(
    'secret-backend-unavailable',
    `AWS Secrets Manager could not ${what} now, also when asked again (${facts}).`,
    { aws: failure },
  )
}
