/** Hooks of Gitea, and of Forgejo, which sends the same headers. Headers of GitHub that come with them do not count. */
import type { HookEvent, ReadHook } from '../../ports/forge.ts'
import {
  deliveryOf,
  type HookBody,
  parseBody,
  pullRequestEvent,
  pushEvent,
  repositoryOf,
  requireHexSignature,
} from '../hook-body.ts'

export const readGiteaHook: ReadHook = (request) => {
  requireHexSignature(request, 'x-gitea-signature')
  const body = parseBody(request)
  return {
    delivery: deliveryOf(request, 'x-gitea-delivery'),
    repository: repositoryOf(body, 'repository', 'full_name'),
    content: eventOf(request.headers['x-gitea-event'], body),
  }
}

function eventOf(name: string | undefined, body: HookBody): HookEvent {
  switch (name) {
    case 'push':
      return pushEvent(body)
    case 'pull_request':
    case 'pull_request_approved':
    case 'pull_request_rejected':
      return pullRequestEvent(body, 'pull_request', 'number')
    default:
      return { event: 'other' }
  }
}
