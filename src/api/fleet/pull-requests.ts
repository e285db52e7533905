/** Pull requests of the fleet repository: what was said of each, and the hooks of their forge. */
import { FleetError } from '../../fleet/errors.ts'
import type { CheckedPullRequest } from '../../ports/pull-requests.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { anyObject } from '../shapes.ts'

type PullRequestParts = Pick<Parts, 'pullRequests' | 'hooks'>

const HOOK = anyObject('As the forge sends it; JSON is the format to choose there')

export function pullRequestRoutes(parts: PullRequestParts): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/fleet/pull-requests',
      operationId: 'listPullRequests',
      role: 'reader',
      wire: false,
      summary: 'Open pull requests of the fleet repository, with the last verdict on each',
      responses: { 200: { description: 'Highest number first', schema: LIST } },
      handler: async () => {
        const repository = parts.pullRequests.repository ?? null
        return json(200, { repository, pullRequests: parts.pullRequests.list().map(view) })
      },
    },
    {
      method: 'POST',
      path: '/api/fleet/hooks/{forge}',
      operationId: 'receiveHook',
      role: 'writer',
      wire: false,
      signed: true,
      // Nothing in the fleet repository changes.
      dryRun: false,
      summary: 'Takes a hook of the forge (gitea, github, gitlab), which its signature lets in',
      request: HOOK,
      responses: { 202: { description: 'What it tells of is looked at', schema: TAKEN } },
      handler: (context) => receive(parts, context),
    },
  ]
}

/** @throws FleetError `not-found`, `unauthenticated`, `forbidden`, `invalid-request`, `too-many-requests` */
async function receive({ hooks }: PullRequestParts, context: HandlerContext): Promise<Answer> {
  const forge = context.param('forge')
  if (hooks === undefined || hooks.kind !== forge)
    throw new FleetError('not-found', `No forge ${forge} is set up here; see the setting forge.`)
  await hooks.receive({ headers: context.headers, body: context.bytes })
  return json(202, { taken: true })
}

function view(checked: CheckedPullRequest): object {
  const { pull, result, checkedHead, plannedOn, problems, warnings, checkedAt } = checked
  const { number, url, title, author, branch, isDraft, isFork, head } = pull
  return {
    ...{ number, url, title, author: author.login, branch, isDraft, isFork, head },
    result,
    checkedHead: checkedHead ?? null,
    plannedOn: plannedOn ?? null,
    problems,
    warnings,
    checkedAt: checkedAt === undefined ? null : new Date(checkedAt).toISOString(),
  }
}

const TEXT = { type: 'string' } as const
const COMMIT = { type: ['string', 'null'] } as const

const LIST = {
  type: 'object',
  required: ['repository', 'pullRequests'],
  properties: {
    repository: {
      type: ['string', 'null'],
      description:
        'Where the repository is on the forge; null: no forge is configured, no pull request is looked at',
    },
    pullRequests: {
      type: 'array',
      items: {
        type: 'object',
        required: ['number', 'url', 'title', 'author', 'branch', 'head', 'result', 'problems', 'warnings'],
        properties: {
          number: { type: 'integer' },
          ...{ url: TEXT, title: TEXT, author: TEXT, branch: TEXT },
          isDraft: { type: 'boolean' },
          isFork: { type: 'boolean' },
          head: TEXT,
          result: { enum: ['pending', 'success', 'failure'], description: 'Of this head' },
          checkedHead: { ...COMMIT, description: 'Head that was checked last' },
          plannedOn: { ...COMMIT, description: 'Revision of main that the last check was made on' },
          problems: { type: 'integer', description: 'Of the last check' },
          warnings: { type: 'integer' },
          checkedAt: { type: ['string', 'null'], format: 'date-time' },
        },
      },
    },
  },
} as const

const TAKEN = {
  type: 'object',
  required: ['taken'],
  properties: { taken: { const: true } },
} as const
