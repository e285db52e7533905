/**
 * What changes of the fleet mean to people: who is affected and how, how full clusters get, how far a change of something
 * shared reaches. What shares is counted and not listed, so the cost follows the change.
 */
import { isDeepStrictEqual } from 'node:util'
import { groupConfigurationAt } from '../configuration.ts'
import { keptData } from '../deletion.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import type { FleetPath, Id } from '../ids.ts'
import { clustersOf, isEnding } from '../installation-index.ts'
import type { FleetSettings, Group, Installation, Intent, Slug, Tombstone } from '../intents.ts'
import { FLEET_PATH } from '../paths.ts'
import { installationOf } from '../requests.ts'
import { clusterCapacities } from './capacity.ts'
import { costClass } from './cost-class.ts'
import { addressOf, type Groups, noticed } from './notice.ts'
import type { Affected, Impact, Wave } from './plan.ts'
import { sharedChanges } from './shared-changes.ts'

/**
 * @param changes in the order in which they were applied; a path may come more than once
 * @param after the fleet with them
 */
export function impactOf(changes: readonly IntentChange[], after: Fleet): Impact {
  const net = netChanges(changes)
  const settings = net.find(({ path }) => path === FLEET_PATH)?.before
  const was = settings?.kind === 'Fleet' ? settings : after.settings
  const pairs = installationPairs(net, was, after.settings)
  const groups = { before: groupsBefore(net, after), after }
  const told = [...pairs.values()].map((pair) => ({ pair, affected: affectedBy(pair, after, groups) }))
  const of = (change: Pair['change']): readonly Affected[] =>
    told
      .filter(({ pair }) => pair.change === change)
      .map(({ affected }) => affected)
      .sort(byName)
  const others = net.flatMap(affectedOthers)
  return {
    added: [
      ...others.filter(({ change }) => change === 'added').map(({ affected }) => affected),
      ...of('added'),
    ],
    changed: of('changed'),
    removed: [
      ...others.filter(({ change }) => change === 'removed').map(({ affected }) => affected),
      ...of('removed'),
    ],
    clusters: clusterCapacities(net, roomChanges([...pairs.values()]), was, after),
    waves: net.flatMap((change) => wavesOf(change, after)),
    shared: sharedChanges(net, was, after),
  }
}

/** One change a path: what it was at first, what it is at last. */
function netChanges(changes: readonly IntentChange[]): readonly IntentChange[] {
  const net = new Map<FleetPath, IntentChange>()
  for (const { path, before, after } of changes)
    net.set(path, { path, before: net.has(path) ? net.get(path)?.before : before, after })
  return [...net.values()].filter(({ before, after }) => !isDeepStrictEqual(before, after))
}

/** An installation before and after; its document may have moved. */
interface Pair {
  before: Installation | undefined
  after: Installation | undefined
  tombstone: Tombstone | undefined
  change: 'added' | 'changed' | 'removed'
}

function installationPairs(
  net: readonly IntentChange[],
  was: FleetSettings,
  is: FleetSettings,
): ReadonlyMap<Id, Pair> {
  const pairs = new Map<Id, Pair>()
  const pairOf = (id: Id): Pair => {
    const pair = pairs.get(id) ?? {
      before: undefined,
      after: undefined,
      tombstone: undefined,
      change: 'changed',
    }
    pairs.set(id, pair)
    return pair
  }
  for (const { before, after } of net) {
    const [old, now] = [installationIn(before, was), installationIn(after, is)]
    if (old !== undefined) pairOf(old.metadata.id).before = old
    if (now !== undefined) pairOf(now.metadata.id).after = now
    if (after?.kind === 'Tombstone' && before === undefined) pairOf(after.metadata.id).tombstone = after
  }
  for (const [id, pair] of pairs) {
    if (pair.tombstone !== undefined) pair.before ??= pair.tombstone.spec.installation
    if (pair.before === undefined && pair.after === undefined) pairs.delete(id)
    else pair.change = changeOf(pair)
  }
  return pairs
}

function installationIn(intent: Intent | undefined, settings: FleetSettings): Installation | undefined {
  if (intent?.kind === 'Installation') return intent
  return intent?.kind === 'InstallationRequest' ? installationOf(intent, settings) : undefined
}

function changeOf({ before, after, tombstone }: Pair): Pair['change'] {
  if (before === undefined) return 'added'
  if (after === undefined || tombstone !== undefined) return 'removed'
  return isEnding(after) && !isEnding(before) ? 'removed' : 'changed'
}

function affectedBy(
  { before, after, change, tombstone }: Pair,
  fleet: Fleet,
  groups: { readonly before: Groups; readonly after: Groups },
): Affected {
  const shown = after ?? before
  // A pair has one of both.
  if (shown === undefined) throw new RangeError('an installation that never was')
  const { metadata, spec } = shown
  const cluster = spec.placement?.cluster
  const effect =
    change === 'added'
      ? `is made at ${addressOf(spec) ?? '(no address)'}${cluster === undefined ? ', and waits for a cluster' : ''}`
      : change === 'removed' || before === undefined || after === undefined
        ? `goes away: ${whatStays(shown, tombstone, fleet.settings)}`
        : afterAll(before, after, groups)
  return {
    kind: 'installation',
    id: metadata.id,
    name: metadata.name,
    cluster,
    group: spec.group ?? undefined,
    ...(effect === undefined ? {} : { effect }),
    ...(before === undefined ? {} : { costBefore: costClass(before) }),
    ...(after === undefined || change === 'removed' ? {} : { costAfter: costClass(after) }),
  }
}

function afterAll(
  before: Installation,
  after: Installation,
  groups: { readonly before: Groups; readonly after: Groups },
): string | undefined {
  const stays = isEnding(before) && !isEnding(after) ? 'stays: its deletion is cancelled' : undefined
  const other = noticed(
    { installation: before, groups: groups.before },
    { installation: after, groups: groups.after },
  )
  return [stays, other].filter((text) => text !== undefined).join('; ') || undefined
}

function whatStays(
  installation: Installation,
  tombstone: Tombstone | undefined,
  { spec }: FleetSettings,
): string {
  const keep = tombstone?.spec.keep ?? keptData(spec, installation)
  const words = (kept: boolean): string => (kept ? 'kept' : 'deleted')
  return `its database is ${words(keep.database)}, its files are ${words(keep.filestore)}`
}

function byName(a: Affected, b: Affected): number {
  return a.name === b.name ? (a.id < b.id ? -1 : 1) : a.name < b.name ? -1 : 1
}

/** Clusters, groups and shared databases that come or go. */
function affectedOthers({ before, after }: IntentChange): readonly {
  readonly change: 'added' | 'removed'
  readonly affected: Affected
}[] {
  const kinds = { Cluster: 'cluster', Group: 'group', SharedDatabase: 'database' } as const
  const intent = after ?? before
  if (intent?.kind !== 'Cluster' && intent?.kind !== 'Group' && intent?.kind !== 'SharedDatabase') return []
  const change = isThere(before)
    ? isThere(after)
      ? undefined
      : 'removed'
    : isThere(after)
      ? 'added'
      : undefined
  if (change === undefined) return []
  const { id, name } = intent.metadata
  const effect = change === 'removed' ? 'goes away' : 'is new'
  return [
    {
      change,
      affected: { kind: kinds[intent.kind], id, name, cluster: undefined, group: undefined, effect },
    },
  ]
}

function isThere(intent: Intent | undefined): boolean {
  if (intent === undefined) return false
  if (intent.kind === 'Cluster')
    return intent.metadata.deletedAt === undefined && intent.spec.operation.kind !== 'deletion'
  return intent.kind === 'Group' || intent.kind === 'SharedDatabase'
    ? intent.metadata.deletedAt === undefined
    : true
}

/** By cluster: how many installations more. */
function roomChanges(pairs: readonly Pair[]): ReadonlyMap<Slug, number> {
  const changes = new Map<Slug, number>()
  const count = (installation: Installation | undefined, step: 1 | -1): void => {
    if (installation === undefined) return
    for (const cluster of clustersOf(installation)) changes.set(cluster, (changes.get(cluster) ?? 0) + step)
  }
  for (const { before, after } of pairs) {
    count(before, -1)
    count(after, 1)
  }
  return changes
}

function groupsBefore(net: readonly IntentChange[], after: Fleet): Groups {
  const changed = new Map<Slug, Group | undefined>()
  for (const { before, after: is } of net) {
    if (is?.kind === 'Group') changed.set(is.metadata.name, undefined)
    if (before?.kind === 'Group') changed.set(before.metadata.name, before)
  }
  return { group: (name) => (changed.has(name) ? changed.get(name) : after.group(name)) }
}

/** Members run the configuration of their sequence, so one that keeps its sequence and differs reaches all that run it. */
function wavesOf({ before, after }: IntentChange, fleet: Fleet): readonly Wave[] {
  if (before?.kind !== 'Group' || after?.kind !== 'Group') return []
  const { name } = after.metadata
  const members = fleet.memberCount(name)
  const kept = [before.spec.sequence, ...(before.spec.previous ?? []).map(({ sequence }) => sequence)]
  const differs = (sequence: number): boolean =>
    !isDeepStrictEqual(groupConfigurationAt(before, sequence), groupConfigurationAt(after, sequence))
  const atOnce = kept.some(
    (sequence) => groupConfigurationAt(after, sequence) !== undefined && differs(sequence),
  )
  const isNewer = after.spec.sequence !== before.spec.sequence
  if (members === 0 || (!atOnce && !isNewer)) return []
  return [{ group: name, members, maxRolling: after.spec.maxRolling, atOnce }]
}
