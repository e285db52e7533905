/**
 * Every error that crosses a part's boundary has a code of this table. Decisions switch on `code`, never on text.
 * `docs/errors.md` documents each; a test ties both together.
 */
export interface ErrorDefinition {
  /** HTTP status of the problem document. */
  readonly status: number
  /** Short and the same for every occurrence (RFC 9457 `title`). */
  readonly title: string
}

export const ERRORS = {
  'invalid-request': { status: 400, title: 'The request is not valid' },
  'invalid-json': { status: 400, title: 'The body is not valid JSON' },
  'invalid-state': { status: 400, title: 'The object is in a state that does not allow this' },
  unauthenticated: { status: 401, title: 'A valid token is required' },
  forbidden: { status: 403, title: 'The token does not allow this' },
  'api-locked': { status: 403, title: 'The object is locked against changes through the API' },
  'deletion-locked': { status: 403, title: 'The object is locked against deletion' },
  guarded: { status: 403, title: 'A guard refuses this change' },
  'review-required': { status: 403, title: 'This change needs a review' },
  'not-found': { status: 404, title: 'There is no such object' },
  'name-taken': { status: 409, title: 'The name is taken' },
  'dns-taken': { status: 409, title: 'The DNS name is taken' },
  'lease-held': { status: 409, title: 'Another operation holds the object' },
  'document-held': { status: 409, title: 'The document in git is not valid and is held' },
  'review-open': { status: 409, title: 'A review of the same object is open' },
  'revert-conflict': { status: 409, title: 'The commit cannot be undone any more' },
  'secret-exists': { status: 409, title: 'The secret key is in use' },
  'secret-removed': { status: 409, title: 'The secret value is gone' },
  'idempotency-conflict': { status: 422, title: 'The idempotency key was used for another request' },
  'too-many-requests': { status: 429, title: 'Too many requests' },
  'unsupported-media-type': { status: 415, title: 'The body must be JSON' },
  'body-too-large': { status: 413, title: 'The body is too large' },
  'invalid-document': { status: 422, title: 'A document of the fleet repository is not valid' },
  'invalid-template': { status: 500, title: 'A template is not valid' },
  'secret-in-git': { status: 422, title: 'The change would put a secret into git' },
  'not-implemented': { status: 501, title: 'This is not available yet' },
  'writer-closed': { status: 503, title: 'The writer is stopping' },
  'writer-busy': { status: 503, title: 'Too many changes are waiting to be written' },
  'remote-unavailable': { status: 503, title: 'The fleet repository cannot be reached' },
  'remote-refused': { status: 502, title: 'The fleet repository refused the push' },
  'remote-denied': { status: 502, title: 'The fleet repository does not let Fleetwright in' },
  'history-rewritten': { status: 503, title: 'The history of the fleet repository was rewritten' },
  'mirror-behind': { status: 503, title: 'A mirror of the fleet repository is behind' },
  'carried-out-already': { status: 409, title: 'The request was carried out already' },
  'stale-lease': { status: 503, title: 'Somebody else pushes to the fleet repository all the time' },
  'repository-damaged': { status: 500, title: 'The fleet repository is damaged' },
  'secret-backend-unavailable': { status: 503, title: 'The secret backend cannot be reached' },
  'secret-backend-refused': { status: 502, title: 'The secret backend refused' },
  'credentials-missing': { status: 503, title: 'There are no credentials for the cluster' },
  'credentials-invalid': { status: 503, title: 'The credentials of the cluster cannot be used' },
  'credentials-unavailable': { status: 503, title: 'The credentials of the cluster cannot be read now' },
  'cluster-unavailable': { status: 503, title: 'The cluster cannot be reached' },
  'cluster-forbidden': { status: 502, title: 'The cluster does not allow this' },
  'cluster-rejected': { status: 502, title: 'The cluster rejects this' },
  'aws-unavailable': { status: 503, title: 'AWS does not answer' },
  'aws-refused': { status: 502, title: 'AWS refuses' },
  'forge-unavailable': { status: 503, title: 'The forge cannot be reached' },
  'forge-denied': { status: 502, title: 'The forge does not let Fleetwright in' },
  'forge-refused': { status: 502, title: 'The forge refuses this' },
  'invalid-configuration': { status: 500, title: 'The configuration is not valid' },
  internal: { status: 500, title: 'Something unexpected went wrong' },
} as const satisfies Record<string, ErrorDefinition>

export type ErrorCode = keyof typeof ERRORS

/** One thing that is wrong, where, and what would be right. `pointer` is a JSON pointer into the request or document. */
export interface ErrorDetail {
  readonly pointer: string
  readonly detail: string
}

export interface FleetErrorData {
  readonly errors?: readonly ErrorDetail[]
  readonly [key: string]: unknown
}

export class FleetError extends Error {
  override readonly name = 'FleetError'
  readonly code: ErrorCode
  readonly data: FleetErrorData

  /** @param detail what is wrong here, where, and what would be right; shown to the user, so never a secret */
  constructor(
    code: ErrorCode,
    detail: string,
    data: FleetErrorData = {},
    options: { readonly cause?: unknown } = {},
  ) {
    super(detail, options)
    this.code = code
    this.data = data
  }

  get status(): number {
    return ERRORS[this.code].status
  }

  get title(): string {
    return ERRORS[this.code].title
  }
}

export function isFleetError(error: unknown): error is FleetError {
  return error instanceof FleetError
}
