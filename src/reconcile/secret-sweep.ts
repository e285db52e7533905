/**
 * Removes values of the secret backend that nothing needs: orphans (stored, but the process died before the commit) and
 * replaced values after their grace period. Says which values the fleet refers to that are not there.
 */
import type { Problem } from '../fleet/files.ts'
import { shardOf } from '../fleet/paths.ts'
import { ownerOfSecret, SECRET_FOLDERS, type SecretOwner } from '../fleet/secret-references.ts'
import type { Clock } from '../ports/clock.ts'
import type { SecretBackend, SecretHolds, StoredSecret } from '../ports/secrets.ts'
import type { FleetHistory, FleetWriter } from '../ports/writer.ts'
import { type Loop, startLoop } from './loop.ts'
import { SecretReferences } from './secret-references.ts'

const INTERVAL_MILLISECONDS = 3_600_000
/** No request takes nearly as long, so a younger one may still be committed, also by another replica. */
const ORPHAN_AGE_MILLISECONDS = 3_600_000
/** Each is a search of the history; the rest follow with the next sweep. */
const MOST_LOOKUPS = 100
/** Each is a call of the backend. */
const MOST_MISSING = 100

export interface SecretSweepOptions {
  readonly writer: Pick<FleetWriter, 'fleet' | 'onChange'>
  readonly history: Pick<FleetHistory, 'lastChangeOf'>
  readonly secrets: SecretBackend
  readonly holds: SecretHolds
  readonly clock: Clock
  /** How long a value that was replaced is kept, so that the change can be reverted. */
  readonly graceMilliseconds: number
  readonly orphanAgeMilliseconds?: number
  readonly onSwept: (result: SweepResult) => void
  readonly onError: (error: unknown) => void
}

export interface SweepResult {
  readonly orphans: readonly string[]
  readonly replaced: readonly string[]
  /** Referred to at HEAD, and not in the backend. */
  readonly missing: readonly string[]
}

export interface SecretSweep extends Loop {
  /** One sweep, now. */
  sweep(): Promise<SweepResult>
  /** A problem for each document that refers to a value that is not there. */
  problems(): readonly Problem[]
}

export function startSecretSweep(options: SecretSweepOptions): SecretSweep {
  const sweeper = new Sweeper(options)
  const run = async (): Promise<void> => options.onSwept(await sweeper.sweep())
  const { clock, onError } = options
  const loop = startLoop({ clock, interval: INTERVAL_MILLISECONDS, run, onError })
  const unsubscribe = options.writer.onChange(({ by, changes }) => {
    const { gained } = sweeper.take(changes)
    // A person may have brought back what is gone; the API looks before it does.
    if (by === 'others' && gained.length > 0) loop.wake()
  })
  return {
    wake: loop.wake,
    sweep: () => sweeper.sweep(),
    problems: () => sweeper.problems(),
    async close() {
      unsubscribe()
      await loop.close()
    },
  }
}

type Verdict = 'orphan' | 'replaced' | 'stays'

class Sweeper {
  readonly #options: SecretSweepOptions
  readonly #references: SecretReferences
  /** When keys lost their last reference, as seen or as the history says; null: the history never had them. */
  readonly #unreferencedSince = new Map<string, number | null>()
  #missing: readonly string[] = []
  #lookups = 0

  constructor(options: SecretSweepOptions) {
    this.#options = options
    this.#references = new SecretReferences(options.writer.fleet)
  }

  take(changes: Parameters<SecretReferences['apply']>[0]): ReturnType<SecretReferences['apply']> {
    const moved = this.#references.apply(changes)
    for (const key of moved.lost) this.#unreferencedSince.set(key, this.#options.clock.now())
    for (const key of moved.gained) this.#unreferencedSince.delete(key)
    return moved
  }

  async sweep(): Promise<SweepResult> {
    const { secrets } = this.#options
    const stored = (await Promise.all(SECRET_FOLDERS.map((folder) => secrets.list(folder)))).flat()
    this.#lookups = 0
    const orphans: string[] = []
    const replaced: string[] = []
    // An orphan is what a crash left, so it is among the newest.
    for (const secret of [...stored].sort((a, b) => b.createdAt - a.createdAt)) {
      const verdict = await this.#judge(secret)
      if (verdict === 'stays' || !(await this.#remove(secret.key))) continue
      if (verdict === 'orphan') orphans.push(secret.key)
      else replaced.push(secret.key)
    }
    this.#missing = await this.#findMissing(new Set(stored.map(({ key }) => key)))
    return { orphans, replaced, missing: this.#missing }
  }

  problems(): readonly Problem[] {
    return this.#missing.flatMap((key) =>
      this.#references.pathsOf(key).map((path) => ({
        path,
        line: 0,
        column: 0,
        code: 'secret-removed',
        detail: `refers to the secret value ${key}, which is not in the secret backend; set the value anew`,
      })),
    )
  }

  async #judge({ key, createdAt }: StoredSecret): Promise<Verdict> {
    const { clock, holds, graceMilliseconds, orphanAgeMilliseconds = ORPHAN_AGE_MILLISECONDS } = this.#options
    const owner = ownerOfSecret(key)
    if (owner === undefined || this.#references.has(key) || holds.isHeld(key)) return 'stays'
    if (clock.now() - createdAt < orphanAgeMilliseconds) return 'stays'
    const since = await this.#since(key, owner)
    if (since === undefined) return 'stays'
    if (since === null) return 'orphan'
    return clock.now() - since < graceMilliseconds ? 'stays' : 'replaced'
  }

  /** Undefined: not looked up yet. */
  async #since(key: string, owner: SecretOwner): Promise<number | null | undefined> {
    const known = this.#unreferencedSince.get(key)
    if (known !== undefined || this.#lookups >= MOST_LOOKUPS) return known
    this.#lookups += 1
    const since = (await this.#options.history.lastChangeOf(key, pathsAbout(owner))) ?? null
    if (this.#references.has(key)) return undefined
    this.#unreferencedSince.set(key, since)
    return since
  }

  async #remove(key: string): Promise<boolean> {
    const { holds, secrets } = this.#options
    let removed = false
    await holds.removing(key, async () => {
      if (this.#references.has(key)) return
      await secrets.remove(key, 'recoverable')
      removed = true
    })
    if (removed) this.#unreferencedSince.delete(key)
    return removed
  }

  async #findMissing(stored: ReadonlySet<string>): Promise<readonly string[]> {
    const suspects = [...this.#references.keys()].filter((key) => !stored.has(key)).slice(0, MOST_MISSING)
    const missing: string[] = []
    // It may have been stored since the list was made.
    for (const key of suspects)
      if ((await this.#options.secrets.get(key)) === undefined && this.#references.has(key)) missing.push(key)
    return missing
  }
}

/** Where documents are that may refer to a key. Members that left a group keep what it gave them. */
function pathsAbout({ kind, id }: SecretOwner): readonly string[] {
  if (kind === 'group')
    return [
      'groups',
      'requests',
      ':(glob)clusters/*/installations/*/*/installation.yaml',
      ':(glob)clusters/*/tombstones/*/*.yaml',
    ]
  return [
    'requests',
    `:(glob)clusters/*/installations/${shardOf(id)}/${id}/installation.yaml`,
    `:(glob)clusters/*/tombstones/${shardOf(id)}/${id}.yaml`,
  ]
}
