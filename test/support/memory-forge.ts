/**
 * A forge in memory, in front of a bare repository: what people do there are real commits and refs, so that everything that
 * reads git works on it. Faults are injected on purpose.
 */
import { FleetError } from '../../src/fleet/errors.ts'
import type { ObjectId, RefName } from '../../src/fleet/ids.ts'
import type {
  CheckReport,
  Forge,
  ForgeAccess,
  HookEvent,
  NewPullRequest,
  Permission,
  PullRequest,
} from '../../src/ports/forge.ts'
import { openBareRepository } from './bare-repository.ts'
import type { ForgePeople, ForgeSight, ShownAnnotation } from './forge-world.ts'

const LOGIN = 'fleetwright'
const MAIN = 'refs/heads/main'
const URL = 'https://forge.invalid/acme/fleet'

type Method = Exclude<keyof Forge, 'kind' | 'url' | 'stop'>

export interface ForgeFaults {
  /** Every call, or those of these methods, fails so from now on; undefined: no more. */
  fail(
    code: 'forge-unavailable' | 'forge-denied' | 'forge-refused' | undefined,
    options?: { readonly retryAfter?: number; readonly methods?: readonly Method[] },
  ): void
  /** The next call of this method is carried out, but its answer does not arrive. */
  loseAnswer(method: Method): void
  /** Calls wait until the function that is returned is called. */
  hold(): () => void
  /** Of every call until now, in order. */
  readonly calls: readonly Method[]
}

export interface MemoryForge extends Forge {
  readonly people: ForgePeople
  readonly sight: ForgeSight
  readonly faults: ForgeFaults
  readonly permissions: Map<string, Permission>
  readonly teams: Map<string, ReadonlySet<string>>
}

export interface MemoryForgeOptions {
  /** Bare; the fleet repository. */
  readonly directory: string
  /** Told of everything that a forge sends hooks for. */
  readonly onEvent?: (event: HookEvent) => void
  readonly now?: () => number
  readonly repository?: string
}

interface Kept {
  readonly number: number
  readonly title: string
  readonly author: string
  readonly isDraft: boolean
  readonly isFork: boolean
  readonly branch: string
  readonly base: string
  readonly comments: { readonly author: string; text: string }[]
  readonly annotations: Map<string, readonly ShownAnnotation[]>
  state: PullRequest['state']
  head: ObjectId
  mergedAs?: ObjectId
  updatedAt: number
}

interface State {
  readonly git: ReturnType<typeof openBareRepository>
  readonly pullRequests: Map<number, Kept>
  /** By commit and name, in the order of their arrival. */
  readonly reports: { readonly commit: ObjectId; readonly name: string; readonly report: CheckReport }[]
  readonly permissions: Map<string, Permission>
  readonly teams: Map<string, ReadonlySet<string>>
  readonly repository: string
  main: ForgeAccess['main']
  now(): number
  tell(event: HookEvent): void
}

export function createMemoryForge(options: MemoryForgeOptions): MemoryForge {
  const state: State = {
    git: openBareRepository(options.directory),
    pullRequests: new Map(),
    reports: [],
    permissions: new Map([[LOGIN, 'write']]),
    teams: new Map(),
    repository: options.repository ?? '1',
    main: 'open',
    now: options.now ?? Date.now,
    tell: options.onEvent ?? (() => undefined),
  }
  const people = createPeople(state)
  const { faults, guarded } = createFaults()
  const forge = guarded(createPort(state))
  return {
    ...forge,
    people,
    sight: createSight(state),
    faults,
    permissions: state.permissions,
    teams: state.teams,
  }
}

function createPort(state: State): Forge {
  return {
    kind: 'gitea',
    url: URL,
    access: async () => ({
      login: LOGIN,
      canPush: true,
      canReport: true,
      main: state.main,
      repository: state.repository,
    }),
    openPullRequests: async (base) => (await all(state, base)).filter((one) => one.state === 'open'),
    endedPullRequests: async (base, since) =>
      (await all(state, base))
        .filter((one) => one.state !== 'open' && one.updatedAt >= since)
        .sort((one, other) => other.updatedAt - one.updatedAt),
    async pullRequest(number) {
      const kept = state.pullRequests.get(number)
      return kept === undefined ? undefined : await shown(state, kept)
    },
    report: async (report) => takeReport(state, report),
    comment: async (number, key, markdown) => takeComment(state, number, key, markdown),
    open: (request) => openOwn(state, request),
    async close(number) {
      const kept = given(state, number)
      if (kept.state === 'open') end(state, kept, 'closed')
    },
    async merge(number, head) {
      const kept = given(state, number)
      const found = await shown(state, kept)
      if (found.state === 'merged') return found.head === head
      if (found.state !== 'open' || found.head !== head || found.isDraft) return false
      await merge(state, kept, 'merge')
      return true
    },
    deleteBranch: (branch) => state.git.move(`refs/heads/${branch}`, undefined),
    permission: async (login) => state.permissions.get(login) ?? 'none',
    teamMembers: async (team) => state.teams.get(team),
    stop: async () => undefined,
  }
}

function given({ pullRequests }: State, number: number): Kept {
  const kept = pullRequests.get(number)
  if (kept === undefined) throw new FleetError('forge-refused', `There is no pull request ${number}.`)
  return kept
}

async function all(state: State, base: string): Promise<readonly PullRequest[]> {
  const those = [...state.pullRequests.values()].filter((kept) => kept.base === base)
  return await Promise.all(those.map((kept) => shown(state, kept)))
}

/** A branch may have been pushed to, or deleted, by native git. */
async function shown(state: State, kept: Kept): Promise<PullRequest> {
  if (kept.state === 'open' && !kept.isFork) {
    const tip = await state.git.tip(`refs/heads/${kept.branch}`)
    if (tip === undefined) end(state, kept, 'closed')
    else if (tip !== kept.head) await moveHead(state, kept, tip)
  }
  const { number, title, author, isDraft, isFork, branch, base, head, mergedAs, updatedAt } = kept
  return {
    number,
    title,
    isDraft,
    isFork,
    branch,
    base,
    head,
    updatedAt,
    state: kept.state,
    url: `${URL}/pulls/${number}`,
    author: { login: author, name: author },
    headRef: headRefOf(number),
    ...(mergedAs === undefined ? {} : { mergedAs }),
  }
}

function headRefOf(number: number): RefName {
  return `refs/pull/${number}/head` as RefName
}

function touch(state: State, kept: Kept): void {
  kept.updatedAt = Math.max(state.now(), kept.updatedAt)
}

async function moveHead(state: State, kept: Kept, head: ObjectId): Promise<void> {
  kept.head = head
  await state.git.move(headRefOf(kept.number), head)
  touch(state, kept)
}

function end(state: State, kept: Kept, how: 'merged' | 'closed'): void {
  kept.state = how
  touch(state, kept)
  state.tell({ event: 'pull-request', number: kept.number })
}

async function add(
  state: State,
  request: Pick<Kept, 'title' | 'author' | 'isDraft' | 'isFork' | 'branch' | 'base' | 'head'>,
): Promise<Kept> {
  const number = state.pullRequests.size + 1
  const kept: Kept = {
    ...request,
    number,
    comments: [],
    annotations: new Map(),
    state: 'open',
    updatedAt: state.now(),
  }
  await state.git.move(headRefOf(number), request.head)
  state.pullRequests.set(number, kept)
  state.tell({ event: 'pull-request', number })
  return kept
}

async function openOwn(state: State, { branch, base, title }: NewPullRequest): Promise<PullRequest> {
  const there = [...state.pullRequests.values()].find(
    (kept) => kept.state === 'open' && kept.branch === branch && kept.base === base && !kept.isFork,
  )
  if (there !== undefined) return await shown(state, there)
  const head = await state.git.tip(`refs/heads/${branch}`)
  if (head === undefined) throw new FleetError('forge-refused', `There is no branch ${branch}.`)
  return await shown(
    state,
    await add(state, { title, branch, base, head, author: LOGIN, isDraft: false, isFork: false }),
  )
}

async function merge(state: State, kept: Kept, style: 'merge' | 'squash' | 'rebase'): Promise<ObjectId> {
  const { head, number, title } = kept
  const main = await mainOf(state)
  const message = style === 'merge' ? `Merge pull request #${number}` : `${title} (#${number})`
  const merged = await state.git.merge(main, head, style, message)
  await state.git.move(MAIN, merged)
  kept.mergedAs = merged
  end(state, kept, 'merged')
  state.tell({ event: 'push', ref: MAIN })
  return merged
}

async function mainOf({ git }: State): Promise<ObjectId> {
  const main = await git.tip(MAIN)
  if (main === undefined) throw new Error('the repository has no main')
  return main
}

function takeReport(state: State, report: CheckReport): void {
  const { number, commit, name } = report
  const kept = given(state, number)
  const last = state.reports.findLast((one) => one.commit === commit && one.name === name)
  if (last !== undefined && JSON.stringify(last.report) === JSON.stringify(report)) return
  state.reports.push({ commit, name, report })
  kept.annotations.set(
    name,
    report.annotations.map(({ path, line, title, message }) => ({
      path,
      line,
      text: `${title}\n${message}`,
    })),
  )
  touch(state, kept)
}

function takeComment(state: State, number: number, key: string, markdown: string): void {
  const kept = given(state, number)
  const marker = `<!-- fleetwright:${key} -->`
  const text = `${marker}\n${markdown}`
  const own = kept.comments.find((comment) => comment.author === LOGIN && comment.text.startsWith(marker))
  if (own?.text === text) return
  if (own === undefined) kept.comments.push({ author: LOGIN, text })
  else own.text = text
  touch(state, kept)
}

function createPeople(state: State): ForgePeople {
  const login = 'grace'
  state.permissions.set(login, 'write')
  const { git } = state
  return {
    login,
    async openPullRequest({ branch, title, files, base = 'main', isDraft = false, fromFork = false }) {
      const head = await git.commit(await mainOf(state), files, title)
      if (!fromFork) await git.move(`refs/heads/${branch}`, head)
      const kept = await add(state, { title, branch, base, head, author: login, isDraft, isFork: fromFork })
      return { number: kept.number, head }
    },
    async push(number, files) {
      const kept = given(state, number)
      const head = await git.commit(kept.head, files, 'Correct it')
      if (!kept.isFork) await git.move(`refs/heads/${kept.branch}`, head)
      await moveHead(state, kept, head)
      state.tell({ event: 'pull-request', number })
      return head
    },
    merge: (number, style) => merge(state, given(state, number), style),
    async closePullRequest(number) {
      end(state, given(state, number), 'closed')
    },
    async comment(number, text) {
      const kept = given(state, number)
      kept.comments.push({ author: login, text })
      touch(state, kept)
    },
    async commit(branch, files) {
      const ref = `refs/heads/${branch}`
      const commit = await git.commit((await git.tip(ref)) ?? (await mainOf(state)), files, 'Change files')
      await git.move(ref, commit)
      state.tell({ event: 'push', ref })
      return commit
    },
    async protectMain(how) {
      state.main = ({ not: 'open', 'for-all': 'protected', 'with-bypass': 'protected-with-bypass' } as const)[
        how
      ]
    },
    async deleteCommentsOfFleetwright(number) {
      const { comments } = given(state, number)
      comments.splice(0, comments.length, ...comments.filter(({ author }) => author !== LOGIN))
    },
  }
}

function createSight(state: State): ForgeSight {
  const reportsOf = (commit: ObjectId, name: string) =>
    state.reports.filter((one) => one.commit === commit && one.name === name)
  return {
    comments: async (number) => given(state, number).comments.map((comment) => ({ ...comment })),
    annotations: async (number) => [...given(state, number).annotations.values()].flat(),
    async check(commit, name) {
      const report = reportsOf(commit, name).at(-1)?.report
      return report === undefined ? undefined : { result: report.result, title: report.title }
    },
    timesReported: async (commit, name) => reportsOf(commit, name).length,
    tip: (ref) => state.git.tip(ref),
  }
}

function createFaults(): { readonly faults: ForgeFaults; guarded(forge: Forge): Forge } {
  let fault: (() => FleetError) | undefined
  let affected: readonly Method[] | undefined
  let held: Promise<void> | undefined
  const lost = new Set<Method>()
  const calls: Method[] = []
  function around<Args extends unknown[], Answer>(
    method: Method,
    call: (...args: Args) => Promise<Answer>,
  ): (...args: Args) => Promise<Answer> {
    return async (...args) => {
      calls.push(method)
      await held
      if (fault !== undefined && affected?.includes(method) !== false) throw fault()
      const answer = await call(...args)
      if (!lost.delete(method)) return answer
      throw new FleetError('forge-unavailable', 'The forge cannot be reached: the connection was closed.')
    }
  }
  return {
    faults: {
      calls,
      fail(code, { retryAfter, methods } = {}) {
        affected = methods
        const data = retryAfter === undefined ? {} : { retryAfter }
        fault = code === undefined ? undefined : () => new FleetError(code, 'As the test wants it.', data)
      },
      loseAnswer: (method) => void lost.add(method),
      hold() {
        const { promise, resolve } = Promise.withResolvers<void>()
        held = promise
        return resolve
      },
    },
    guarded: (forge) => ({
      ...forge,
      access: around('access', forge.access),
      openPullRequests: around('openPullRequests', forge.openPullRequests),
      endedPullRequests: around('endedPullRequests', forge.endedPullRequests),
      pullRequest: around('pullRequest', forge.pullRequest),
      report: around('report', forge.report),
      comment: around('comment', forge.comment),
      open: around('open', forge.open),
      close: around('close', forge.close),
      merge: around('merge', forge.merge),
      deleteBranch: around('deleteBranch', forge.deleteBranch),
      permission: around('permission', forge.permission),
      teamMembers: around('teamMembers', forge.teamMembers),
    }),
  }
}
