/**
 * Hooks of GitLab. A secret that is a signing token (`whsec_…`) asks for a signature (Standard Webhooks); any other one is the
 * secret token itself, which GitLab sends along. The secret decides, so that leaving the signature out gains nothing.
 */
import type { HookEvent, ReadHook } from '../../ports/forge.ts'
import {
  deliveryOf,
  type HookBody,
  type HookRequest,
  isSameText,
  parseBody,
  pullRequestEvent,
  pushEvent,
  repositoryOf,
  requireHeader,
  signatureOf,
  unauthenticated,
} from '../hook-body.ts'

const SIGNING = 'whsec_'
/** One header may have several signatures while a key is replaced. */
const MOST_SIGNATURES = 10

export const readGitLabHook: ReadHook = (request) => {
  if (request.secret.startsWith(SIGNING)) requireSignature(request)
  else if (!isSameText(requireHeader(request, 'x-gitlab-token'), request.secret))
    throw unauthenticated('x-gitlab-token is not the secret that is configured here.')
  const body = parseBody(request)
  return {
    delivery: deliveryOf(request, 'idempotency-key', 'webhook-id', 'x-gitlab-event-uuid'),
    repository: repositoryOf(body, 'project', 'path_with_namespace'),
    content: eventOf(request.headers['x-gitlab-event'], body),
  }
}

function requireSignature(request: HookRequest): void {
  const { body, secret } = request
  const given = requireHeader(request, 'webhook-signature').split(' ', MOST_SIGNATURES)
  const id = requireHeader(request, 'webhook-id')
  const timestamp = requireHeader(request, 'webhook-timestamp')
  const key = Buffer.from(secret.slice(SIGNING.length), 'base64')
  if (key.length === 0) throw unauthenticated('The signing token that is configured here has no key in it.')
  const right = `v1,${signatureOf(key, `${id}.${timestamp}.`, body).toString('base64')}`
  if (!given.some((one) => isSameText(one, right)))
    throw unauthenticated(
      'webhook-signature is not the signature of this body with the signing token that is configured here.',
    )
}

function eventOf(name: string | undefined, body: HookBody): HookEvent {
  switch (name) {
    case 'Push Hook':
    case 'Tag Push Hook':
      return pushEvent(body)
    case 'Merge Request Hook':
      return pullRequestEvent(body, 'object_attributes', 'iid')
    default:
      return { event: 'other' }
  }
}
