/** Hooks of GitHub: of a repository or of a GitHub App. */
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

export const readGitHubHook: ReadHook = (request) => {
  requireHexSignature(request, 'x-hub-signature-256', 'sha256=')
  const body = parseBody(request)
  return {
    delivery: deliveryOf(request, 'x-github-delivery'),
    repository: repositoryOf(body, 'repository', 'full_name'),
    content: eventOf(request.headers['x-github-event'], body),
  }
}

function eventOf(name: string | undefined, body: HookBody): HookEvent {
  switch (name) {
    case 'ping':
      return { event: 'ping' }
    case 'push':
      return pushEvent(body)
    case 'pull_request':
    case 'pull_request_review':
      return pullRequestEvent(body, 'pull_request', 'number')
    default:
      return { event: 'other' }
  }
}
