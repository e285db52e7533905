/** A fleet repository on a real Gitea, with people who push with native git and use the API. */
import { randomUUID } from 'node:crypto'
import { join } from 'node:path'
import { callApi, type Gitea, type GiteaLogin } from '../../scripts/testbed/gitea.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { git } from '../../src/git/child-process.ts'
import type { Permission } from '../../src/ports/forge.ts'
import { type BareRepository, openBareRepository } from './bare-repository.ts'
import type { Files, ForgePeople, ForgeSight, ShownAnnotation } from './forge-world.ts'
import { until } from './until.ts'

const OWNER = 'acme'
const NAME = 'fleet'
const MAIN = 'refs/heads/main'
const MOST_TRIES = 50

export interface GiteaUser extends GiteaLogin {
  readonly login: string
}

export interface GiteaWorld {
  readonly gitea: Gitea
  /** `acme/fleet` */
  readonly repository: string
  /** Of native git. */
  readonly cloneUrl: string
  /** Whom Fleetwright is; an administrator of the repository. */
  readonly fleetwright: GiteaUser
  readonly person: GiteaUser
  readonly people: ForgePeople
  readonly sight: ForgeSight
  readonly permissions: readonly (readonly [login: string, permission: Permission])[]
  /** A call of its API as this user. @throws Error when it is refused */
  call<Answer>(user: GiteaUser, method: string, path: string, body?: unknown): Promise<Answer>
  addUser(login: string, permission?: 'read' | 'write' | 'admin'): Promise<GiteaUser>
  /** Pushes a branch and does not wait until Gitea knows it. */
  pushUnseen(branch: string, files: Files): Promise<void>
  /** A team of the owner. */
  addTeam(name: string, members: readonly string[]): Promise<void>
}

export interface GiteaWorldOptions {
  /** Nothing is pushed to it yet. */
  readonly isEmpty?: boolean
}

/** @param folder for a clone of the people's */
export async function createGiteaWorld(
  gitea: Gitea,
  folder: string,
  { isEmpty = false }: GiteaWorldOptions = {},
): Promise<GiteaWorld> {
  const call = <Answer>(user: GiteaUser, method: string, path: string, body?: unknown): Promise<Answer> =>
    callApi(gitea.url, user.token, method, path, body)
  const repository = `/repos/${OWNER}/${NAME}`
  await gitea.call('POST', '/orgs', { username: OWNER })
  await gitea.call('POST', `/orgs/${OWNER}/repos`, { name: NAME, private: true, default_branch: 'main' })
  async function addUser(login: string, permission?: 'read' | 'write' | 'admin'): Promise<GiteaUser> {
    const secrets = await gitea.addUser(login)
    if (permission !== undefined)
      await gitea.call('PUT', `${repository}/collaborators/${login}`, { permission })
    return { login, ...secrets }
  }
  const fleetwright = await addUser('fleetwright', 'admin')
  const person = await addUser('grace', 'write')
  await addUser('ada', 'admin')
  await addUser('rob', 'read')
  await addUser('stranger')
  const directory = join(folder, 'people.git')
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const clone = createClone(gitea, directory, person)
  if (!isEmpty)
    await clone.push(MAIN, await clone.local.commit(undefined, { 'README.md': 'Fleet\n' }, 'Begin'))
  const context: Context = { gitea, call, clone, fleetwright, person, api: repository }
  return {
    gitea,
    repository: `${OWNER}/${NAME}`,
    cloneUrl: clone.url,
    fleetwright,
    person,
    people: createPeople(context),
    sight: createSight(context),
    permissions: [
      ['ada', 'admin'],
      ['grace', 'write'],
      ['rob', 'read'],
      ['stranger', 'none'],
      ['nobody-has-this', 'none'],
    ],
    call,
    addUser,
    async pushUnseen(branch, files) {
      const commit = await clone.local.commit(await clone.fetch(MAIN), files, 'Change files')
      await clone.pushUnseen(`refs/heads/${branch}`, commit)
    },
    async addTeam(name, members) {
      const { id } = await gitea.call<{ id: number }>('POST', `/orgs/${OWNER}/teams`, {
        name,
        permission: 'read',
        units: ['repo.code', 'repo.pulls'],
      })
      for (const member of members) await gitea.call('PUT', `/teams/${id}/members/${member}`)
    },
  }
}

interface Context {
  readonly gitea: Gitea
  readonly clone: Clone
  readonly fleetwright: GiteaUser
  readonly person: GiteaUser
  /** Path of the repository in the API. */
  readonly api: string
  call<Answer>(user: GiteaUser, method: string, path: string, body?: unknown): Promise<Answer>
}

interface Clone {
  readonly url: string
  readonly local: BareRepository
  pushUnseen(ref: string, commit: ObjectId, repository?: string): Promise<void>
  /** And waits until Gitea knows it. */
  push(ref: string, commit: ObjectId, repository?: string): Promise<void>
  tip(ref: string): Promise<ObjectId | undefined>
  /** Commit of a ref, fetched. @throws Error when there is no such ref */
  fetch(ref: string): Promise<ObjectId>
}

function createClone(gitea: Gitea, directory: string, { login, token }: GiteaUser): Clone {
  const url = `${gitea.url}/${OWNER}/${NAME}.git`
  const basic = Buffer.from(`${login}:${token}`).toString('base64')
  const environment = {
    GIT_CONFIG_COUNT: '1',
    GIT_CONFIG_KEY_0: `http.${gitea.url}/.extraHeader`,
    GIT_CONFIG_VALUE_0: `Authorization: Basic ${basic}`,
  }
  const local = openBareRepository(directory)
  async function pushUnseen(ref: string, commit: ObjectId, repository = `${OWNER}/${NAME}`): Promise<void> {
    const target = `${gitea.url}/${repository}.git`
    await git(['push', '--quiet', target, `${commit}:${ref}`], { directory, environment })
  }
  return {
    url,
    local,
    pushUnseen,
    async push(ref, commit, repository = `${OWNER}/${NAME}`) {
      await pushUnseen(ref, commit, repository)
      // Its database learns of a push a moment later.
      const path = `/repos/${repository}/branches/${ref.slice('refs/heads/'.length)}`
      // Others push to main too.
      const isShared = ref === MAIN
      await until(
        () => gitea.call<ApiBranch>('GET', path).catch(() => undefined),
        (branch) => branch !== undefined && (branch.commit.id === commit || isShared),
      )
    },
    async tip(ref) {
      const output = await git(['ls-remote', url, ref], { directory, environment })
      const line = output
        .toString('utf8')
        .split('\n')
        .find((text) => text.endsWith(`\t${ref}`))
      return line === undefined ? undefined : (line.slice(0, 40) as ObjectId)
    },
    async fetch(ref) {
      const fetched = `refs/fetched/${randomUUID()}`
      await git(['fetch', '--quiet', url, `${ref}:${fetched}`], { directory, environment })
      const commit = await local.tip(fetched)
      if (commit === undefined) throw new Error(`there is no ${ref}`)
      return commit
    },
  }
}

interface ApiBranch {
  readonly commit: { readonly id: string }
}

interface ApiPullRequest {
  readonly number: number
  readonly head: {
    readonly ref: string
    readonly sha: ObjectId
    readonly repo: { readonly full_name: string }
  }
}

function createPeople({ gitea, call, clone, person, api }: Context): ForgePeople {
  const read = (number: number): Promise<ApiPullRequest> => call(person, 'GET', `${api}/pulls/${number}`)
  async function commitTo(
    ref: string,
    files: Files,
    message: string,
    repository?: string,
  ): Promise<ObjectId> {
    const parent = await clone.fetch((await clone.tip(ref)) === undefined ? MAIN : ref)
    const commit = await clone.local.commit(parent, files, message)
    await clone.push(ref, commit, repository)
    return commit
  }
  return {
    login: person.login,
    async openPullRequest({ branch, title, files, base = 'main', isDraft = false, fromFork = false }) {
      const fork = `${person.login}/${NAME}`
      if (fromFork) await call(person, 'POST', `${api}/forks`, {})
      const head = await commitTo(`refs/heads/${branch}`, files, title, fromFork ? fork : undefined)
      const { number } = await call<ApiPullRequest>(person, 'POST', `${api}/pulls`, {
        base,
        head: fromFork ? `${person.login}:${branch}` : branch,
        title: isDraft ? `WIP: ${title}` : title,
      })
      return { number, head }
    },
    async push(number, files) {
      const { head } = await read(number)
      const commit = await clone.local.commit(
        await clone.fetch(`refs/pull/${number}/head`),
        files,
        'Correct it',
      )
      await clone.push(`refs/heads/${head.ref}`, commit, head.repo.full_name)
      await until(
        () => clone.tip(`refs/pull/${number}/head`),
        (tip) => tip === commit,
      )
      return commit
    },
    async merge(number, style) {
      // Refused while it looks whether it can be merged, and when main has moved just then.
      await until(
        async () => {
          const merging = call(person, 'POST', `${api}/pulls/${number}/merge`, { Do: style })
          const error = await merging.then(
            () => undefined,
            (error: unknown) => String(error),
          )
          if (error !== undefined && !/ (?:405|409): /.test(error)) throw new Error(error)
          return error
        },
        (error) => error === undefined,
        60,
      )
      return await clone.fetch(MAIN)
    },
    async closePullRequest(number) {
      await call(person, 'PATCH', `${api}/pulls/${number}`, { state: 'closed' })
    },
    async comment(number, text) {
      await call(person, 'POST', `${api}/issues/${number}/comments`, { body: text })
    },
    async commit(branch, files) {
      const ref = `refs/heads/${branch}`
      for (let tries = 0; ; tries += 1)
        try {
          return await commitTo(ref, files, 'Change files')
        } catch (error) {
          // Somebody else was faster: once more on what is there now.
          if (tries === MOST_TRIES || !/rejected|failed to push|cannot lock/i.test(String(error))) throw error
        }
    },
    async protectMain(how) {
      const rules: readonly { rule_name: string }[] = await gitea.call('GET', `${api}/branch_protections`)
      for (const { rule_name } of rules) await gitea.call('DELETE', `${api}/branch_protections/${rule_name}`)
      if (how === 'not') return
      const bypass = how === 'with-bypass'
      await gitea.call('POST', `${api}/branch_protections`, {
        rule_name: 'main',
        enable_push: bypass,
        enable_push_whitelist: bypass,
        push_whitelist_usernames: bypass ? ['fleetwright'] : [],
      })
    },
    async deleteCommentsOfFleetwright(number) {
      const comments: readonly ApiComment[] = await gitea.call('GET', `${api}/issues/${number}/comments`)
      for (const { id, user } of comments)
        if (user.login === 'fleetwright') await gitea.call('DELETE', `${api}/issues/comments/${id}`)
    },
  }
}

interface ApiComment {
  readonly id: number
  readonly body: string
  readonly user: { readonly login: string }
}

interface ApiReview {
  readonly id: number
  readonly body: string
  readonly user: { readonly login: string }
}

interface ApiReviewComment {
  readonly path: string
  readonly position: number
  readonly body: string
}

interface ApiStatus {
  readonly context: string
  readonly status: string
  readonly description: string
}

function createSight({ gitea, clone, api }: Context): ForgeSight {
  return {
    async comments(number) {
      const comments: readonly ApiComment[] = await gitea.call('GET', `${api}/issues/${number}/comments`)
      return comments.map(({ user, body }) => ({ author: user.login, text: body }))
    },
    async annotations(number) {
      const reviews: readonly ApiReview[] = await gitea.call('GET', `${api}/pulls/${number}/reviews?limit=50`)
      const shown: ShownAnnotation[] = []
      for (const { id, user, body } of reviews) {
        if (user.login !== 'fleetwright') continue
        if (body.replaceAll(/<!--.*?-->/gs, '').trim() !== '') shown.push({ path: '', line: 0, text: body })
        const path = `${api}/pulls/${number}/reviews/${id}/comments`
        const comments: readonly ApiReviewComment[] = await gitea.call('GET', path)
        shown.push(...comments.map(({ path, position, body }) => ({ path, line: position, text: body })))
      }
      // Gitea gives the comments of a review in any order.
      return shown.sort((one, other) => one.path.localeCompare(other.path) || one.line - other.line)
    },
    async check(commit, name) {
      const combined: { statuses: readonly ApiStatus[] | null } = await gitea.call(
        'GET',
        `${api}/commits/${commit}/status`,
      )
      const latest = combined.statuses?.find(({ context }) => context === name)
      return latest === undefined ? undefined : { result: latest.status, title: latest.description }
    },
    async timesReported(commit, name) {
      const all: readonly ApiStatus[] = await gitea.call('GET', `${api}/statuses/${commit}?limit=50`)
      return all.filter(({ context }) => context === name).length
    },
    tip: (ref) => clone.tip(ref),
  }
}
