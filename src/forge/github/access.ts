/** What Fleetwright may do on the repository, and whether main is protected against it. */
import { isFleetError } from '../../fleet/errors.ts'
import type { ForgeAccess } from '../../ports/forge.ts'
import { type Fields, fieldsOf, listOf } from '../answers.ts'
import type { GitHubApp } from './app.ts'
import { statusOf } from './client.ts'
import type { GitHubRepository } from './repository.ts'

const MAIN = 'main'
const METADATA = 'Metadata: read'

export async function accessOf(
  repository: GitHubRepository,
  app: GitHubApp | undefined,
): Promise<ForgeAccess> {
  const { client, owner, repo, login } = repository
  const data = await client.call(
    { what: `for the repository ${owner}/${repo}`, right: METADATA },
    ({ rest }) => rest.repos.get({ owner, repo }),
  )
  const answer = fieldsOf(data, 'repository')
  const mayPush = answer.optional.fields('permissions')?.boolean('push') ?? false
  const isAdmin = answer.optional.fields('permissions')?.boolean('admin') ?? false
  const rights = await app?.permissions()
  return {
    login: await login(),
    // What a repository says of permissions is about users; an App has its own.
    canPush: rights === undefined ? mayPush : rights.contents === 'write',
    canReport: rights === undefined ? mayPush : rights.checks === 'write' && rights.pull_requests === 'write',
    main: await protectionOf(repository, app === undefined && isAdmin),
    repository: String(answer.number('id')),
  }
}

/** Two kinds side by side: rulesets, and the older branch protection. Both must let a push pass. */
async function protectionOf(repository: GitHubRepository, isAdmin: boolean): Promise<ForgeAccess['main']> {
  const kinds = [await rulesetProtection(repository), await branchProtection(repository, isAdmin)]
  if (kinds.includes('protected')) return 'protected'
  return kinds.includes('protected-with-bypass') ? 'protected-with-bypass' : 'open'
}

/** Rules that refuse a plain push; the others (no force push, signatures, linear history) Fleetwright's pushes keep. */
const BLOCKING = new Set([
  'code_scanning',
  'merge_queue',
  'pull_request',
  'required_deployments',
  'required_status_checks',
  'update',
  'workflows',
])

async function rulesetProtection({ client, owner, repo }: GitHubRepository): Promise<ForgeAccess['main']> {
  const sources = new Map<number, Fields>()
  const pages = client.pages({ what: 'for the rules of main', right: METADATA }, (octokit) =>
    octokit.paginate.iterator(octokit.rest.repos.getBranchRules, {
      owner,
      repo,
      branch: MAIN,
      per_page: 100,
    }),
  )
  for await (const page of pages)
    for (const rule of listOf(page, 'rules of main'))
      if (BLOCKING.has(rule.text('type'))) sources.set(rule.number('ruleset_id'), rule)
  if (sources.size === 0) return 'open'
  for (const id of sources.keys()) if (!(await passesRuleset({ client, owner, repo }, id))) return 'protected'
  return 'protected-with-bypass'
}

async function passesRuleset(
  { client, owner, repo }: Pick<GitHubRepository, 'client' | 'owner' | 'repo'>,
  id: number,
): Promise<boolean> {
  try {
    const data = await client.call({ what: `for the ruleset ${id}`, right: METADATA }, ({ rest }) =>
      rest.repos.getRepoRuleset({ owner, repo, ruleset_id: id, includes_parents: true }),
    )
    const bypass = fieldsOf(data, `ruleset ${id}`).optional.text('current_user_can_bypass')
    return bypass === 'always' || bypass === 'exempt'
  } catch (error) {
    // One that cannot be looked at (of an organisation) is taken as one that stops us.
    if (isHidden(error)) return false
    throw error
  }
}

async function branchProtection(
  repository: GitHubRepository,
  isAdmin: boolean,
): Promise<ForgeAccess['main']> {
  const { client, owner, repo } = repository
  const branch = await unlessHidden(
    client.call({ what: 'for the branch main', right: 'Contents: read' }, ({ rest }) =>
      rest.repos.getBranch({ owner, repo, branch: MAIN }),
    ),
  )
  // Nothing was pushed yet.
  if (branch === undefined) return 'open'
  const classic = fieldsOf(branch, 'branch main').optional.fields('protection')
  if (classic?.optional.boolean('enabled') !== true) return 'open'
  const protection = await unlessHidden(
    client.call({ what: 'for the protection of main', right: 'Administration: read' }, ({ rest }) =>
      rest.repos.getBranchProtection({ owner, repo, branch: MAIN }),
    ),
  )
  // Who may not look at it is told nothing of exceptions.
  if (protection === undefined) return 'protected'
  return judge(fieldsOf(protection, 'protection of main'), await repository.login(), isAdmin)
}

function judge(protection: Fields, login: string, isAdmin: boolean): ForgeAccess['main'] {
  const { optional } = protection
  const reviews = optional.fields('required_pull_request_reviews')
  const restrictions = optional.fields('restrictions')
  const isNamed = (actors: Fields | undefined): boolean =>
    [
      ...(actors?.optional.list('users') ?? []).map((user) => user.text('login')),
      ...(actors?.optional.list('apps') ?? []).map((app) => `${app.text('slug')}[bot]`),
    ].includes(login)
  const needsChecks = optional.fields('required_status_checks') !== undefined
  const isLocked = optional.fields('lock_branch')?.optional.boolean('enabled') === true
  if (reviews === undefined && restrictions === undefined && !needsChecks && !isLocked) return 'open'
  const passesAsAdmin = isAdmin && optional.fields('enforce_admins')?.boolean('enabled') === false
  const passesReviews =
    reviews === undefined || isNamed(reviews.optional.fields('bypass_pull_request_allowances'))
  const passesRestrictions = restrictions === undefined || isNamed(restrictions)
  const passes = passesAsAdmin || (passesReviews && passesRestrictions && !needsChecks && !isLocked)
  return passes ? 'protected-with-bypass' : 'protected'
}

async function unlessHidden(answer: Promise<unknown>): Promise<unknown> {
  try {
    return await answer
  } catch (error) {
    if (isHidden(error)) return undefined
    throw error
  }
}

/** Not there, or not for this token; a token that is refused altogether, or a limit, is neither. */
function isHidden(error: unknown): boolean {
  return (
    isFleetError(error) &&
    ['forge-denied', 'forge-refused'].includes(error.code) &&
    [403, 404].includes(statusOf(error) ?? 0)
  )
}
