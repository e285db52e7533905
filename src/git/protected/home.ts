/**
 * A home whose main takes no pushes: windows go in through pull requests of Fleetwright's own. Whatever is not sure after
 * the forge was asked to merge is `remote-unavailable`: the writer looks whether main has the window.
 */
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import type { ObjectId, RefName } from '../../fleet/ids.ts'
import type { Clock } from '../../ports/clock.ts'
import { type Forge, type PullRequest, WINDOW_BRANCHES } from '../../ports/forge.ts'
import type { NewObject, PushOutcome, RefUpdate, RepositoryHome } from '../contracts.ts'
import { EMPTY_TREE } from '../objects.ts'
import { MAIN } from '../writer/projections.ts'
import { isAncestor } from '../writer/recovery.ts'

const HEADS = 'refs/heads/'
const FIRST_PAUSE_MILLISECONDS = 200
const LONGEST_PAUSE_MILLISECONDS = 5_000
/** Forges need a moment to see that a pull request can be merged, and longer when they wait for checks. */
const PATIENCE_MILLISECONDS = 60_000
const CHECK = 'fleetwright/plan'

/** What is needed of a forge. */
export type WindowForge = Pick<
  Forge,
  'open' | 'merge' | 'close' | 'deleteBranch' | 'report' | 'openPullRequests' | 'pullRequest'
>

export interface ProtectedHomeOptions {
  readonly home: RepositoryHome
  readonly forge: WindowForge
  readonly clock: Clock
  /** How long the forge may take to allow a merge, milliseconds. */
  readonly patienceMilliseconds?: number
}

export interface ProtectedHome extends RepositoryHome {
  /** Ends what a process before this one left, before anything is pushed. What fails is done before the first window. */
  tidy(): Promise<void>
}

export function createProtectedHome(options: ProtectedHomeOptions): ProtectedHome {
  const windows = new WindowPullRequests(options)
  return {
    ...options.home,
    push: (updates, objects) => windows.push(updates, objects),
    tidy: () => windows.tidyLater(),
  }
}

type MainUpdate = RefUpdate & { readonly expected: ObjectId }

class WindowPullRequests {
  readonly #home: RepositoryHome
  readonly #forge: WindowForge
  readonly #clock: Clock
  readonly #patience: number
  /** The window that went in last, and main after it: a merge commit of the same tree, or the window itself. */
  #last: { readonly window: ObjectId; readonly main: ObjectId } | undefined
  /** Branches that are of no use any more, and could still be merged; undefined: those of an earlier process are not known. */
  #leftovers: Map<string, number | undefined> | undefined

  constructor({ home, forge, clock, patienceMilliseconds }: ProtectedHomeOptions) {
    this.#home = home
    this.#forge = forge
    this.#clock = clock
    this.#patience = patienceMilliseconds ?? PATIENCE_MILLISECONDS
  }

  async push(updates: readonly RefUpdate[], objects: readonly NewObject[]): Promise<PushOutcome> {
    const main = updates.find(isMainUpdate)
    // The first commit of a repository has no main to go to.
    if (main === undefined) return await this.#home.push(updates, objects)
    await askForge(() => this.#tidy())
    if (!(await this.#isAt(main.expected))) return stale()
    const projections = updates.filter((update) => update !== main)
    const ofProjections = new Set<ObjectId>([EMPTY_TREE, ...projections.map(({ next }) => next)])
    const landed = await this.#land(
      main,
      objects.filter(({ oid }) => !ofProjections.has(oid)),
    )
    if (landed.outcome === 'stale' || projections.length === 0) return landed
    const moved = await this.#home.push(
      projections,
      objects.filter(({ oid }) => ofProjections.has(oid)),
    )
    if (moved.outcome === 'stale') throw unsure('another writer moved the projections', moved.detail)
    return moved
  }

  /** Brings the window to main and nothing else. */
  async #land(main: MainUpdate, objects: readonly NewObject[]): Promise<PushOutcome> {
    const branch = `${WINDOW_BRANCHES}${main.next}`
    // Ids are letters and digits.
    const ref = `${HEADS}${branch}` as RefName
    this.#leave(branch, undefined)
    const pushed = await this.#home.push([{ ref, expected: undefined, next: main.next }], objects)
    if (pushed.outcome === 'stale') throw unsure(`the branch ${branch} is there already`, pushed.detail)
    const pull = await askForge(() => this.#open(branch, main.next))
    this.#leave(branch, pull.number)
    if (!(await this.#merge(pull, main))) {
      await this.tidyLater()
      return stale()
    }
    await this.#takeIn(main)
    await this.tidyLater()
    return { outcome: 'accepted' }
  }

  async #open(branch: string, head: ObjectId): Promise<PullRequest> {
    const request = {
      branch,
      base: 'main',
      title: `Write ${head.slice(0, 12)} to main`,
      body: 'Fleetwright writes to the protected main through this pull request, and merges it at once. Its commits say what they do.',
    }
    const pull = await this.#patiently(
      () => this.#forge.open(request),
      (error) => isFleetError(error) && error.code === 'forge-unavailable',
    )
    await this.#forge.report({
      ...{ number: pull.number, commit: head, name: CHECK, result: 'success', annotations: [] },
      title: 'Written by Fleetwright',
      summary: 'Every commit was checked when it was made.',
    })
    return pull
  }

  /** @returns false: somebody else was first, and nothing was merged */
  async #merge({ number, url }: PullRequest, main: MainUpdate): Promise<boolean> {
    const deadline = this.#clock.monotonic() + this.#patience
    let pause = FIRST_PAUSE_MILLISECONDS
    for (;;) {
      if (!(await this.#isAt(main.expected))) return false
      if (await this.#mergeNow(number, main.next)) return true
      // By a person, or by another Fleetwright that starts.
      if ((await askForge(() => this.#forge.pullRequest(number)))?.state === 'closed') return false
      if (this.#clock.monotonic() >= deadline) break
      await this.#clock.sleep(pause)
      pause = Math.min(pause * 2, LONGEST_PAUSE_MILLISECONDS)
    }
    await this.tidyLater()
    throw new FleetError(
      'remote-denied',
      `The forge does not let Fleetwright merge its own pull request ${url}. It must be able to merge into the protected main without a review of others, by merge commits or fast-forwards; docs/operations.md says what to allow.`,
    )
  }

  async #mergeNow(number: number, head: ObjectId): Promise<boolean> {
    try {
      return await this.#forge.merge(number, head, 'keep-commits')
    } catch (error) {
      if (isFleetError(error) && error.code === 'forge-unavailable')
        throw unsure('the answer of the merge is lost', error.message, error)
      throw asRemote(error)
    }
  }

  /** Main as the forge made it. */
  async #takeIn({ next }: MainUpdate): Promise<void> {
    const main = await this.#patiently(
      async () => {
        const tip = (await this.#home.fetch()).get(MAIN)
        if (tip !== undefined && (await isAncestor(this.#home.objects, next, tip))) return tip
        throw unsure('the forge merged it, and main does not have it', '')
      },
      (error) => isFleetError(error) && error.code === 'remote-unavailable',
    )
    const [window, merged] = await Promise.all([
      this.#home.objects.commit(next),
      this.#home.objects.commit(main),
    ])
    if (window.tree !== merged.tree) throw unsure('somebody else pushed just before the merge', '')
    this.#last = { window: next, main }
  }

  /** Whether main is where the window was built: on its tip, or on the window that the tip merged. */
  async #isAt(expected: ObjectId): Promise<boolean> {
    const tip = (await this.#home.tips()).get(MAIN)
    return tip === expected || (this.#last?.window === expected && this.#last.main === tip)
  }

  #leave(branch: string, number: number | undefined): void {
    this.#leftovers?.set(branch, number)
  }

  /** Nothing that was given up may be merged later. @throws FleetError of the forge */
  async #tidy(): Promise<void> {
    this.#leftovers ??= await this.#ofEarlierProcess()
    for (const [branch, number] of this.#leftovers) {
      if (number !== undefined) await this.#forge.close(number)
      await this.#forge.deleteBranch(branch)
      this.#leftovers.delete(branch)
    }
  }

  /** What fails now is done before the next window. */
  async tidyLater(): Promise<void> {
    try {
      await this.#tidy()
    } catch (error) {
      if (!isFleetError(error)) throw error
    }
  }

  async #ofEarlierProcess(): Promise<Map<string, number | undefined>> {
    const tips = await this.#home.tips()
    const branches = [...tips.keys()].filter((ref) => ref.startsWith(`${HEADS}${WINDOW_BRANCHES}`))
    const found = new Map<string, number | undefined>(
      branches.map((ref) => [ref.slice(HEADS.length), undefined]),
    )
    for (const { branch, number, isFork } of await this.#forge.openPullRequests('main'))
      if (!isFork && branch.startsWith(WINDOW_BRANCHES)) found.set(branch, number)
    return found
  }

  async #patiently<Value>(ask: () => Promise<Value>, mayPass: (error: unknown) => boolean): Promise<Value> {
    const deadline = this.#clock.monotonic() + Math.min(this.#patience, LONGEST_PAUSE_MILLISECONDS)
    for (let pause = FIRST_PAUSE_MILLISECONDS; ; pause *= 2) {
      try {
        return await ask()
      } catch (error) {
        if (!mayPass(error) || this.#clock.monotonic() >= deadline) throw error
      }
      await this.#clock.sleep(pause)
    }
  }
}

function isMainUpdate(update: RefUpdate): update is MainUpdate {
  return update.ref === MAIN && update.expected !== undefined
}

function stale(): PushOutcome {
  return { outcome: 'stale', detail: 'main has moved' }
}

/** Nothing was merged: what the forge said means the same as if the git server had said it. */
async function askForge<Value>(ask: () => Promise<Value>): Promise<Value> {
  try {
    return await ask()
  } catch (error) {
    throw asRemote(error)
  }
}

function asRemote(error: unknown): unknown {
  if (!isFleetError(error) || !error.code.startsWith('forge-')) return error
  const { retryAfter } = error.data
  if (error.code !== 'forge-unavailable')
    return new FleetError('remote-denied', error.message, {}, { cause: error })
  const data = retryAfter === undefined ? {} : { limited: true, retryAfter }
  return new FleetError('remote-unavailable', error.message, data, { cause: error })
}

function unsure(why: string, detail: string, cause?: unknown): FleetError {
  const said = detail === '' ? '' : ` (${detail})`
  return new FleetError(
    'remote-unavailable',
    `It is not known whether the protected main has the window: ${why}${said}.`,
    {},
    { cause },
  )
}
