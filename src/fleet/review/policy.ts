/**
 * What pull requests may ask for, and who may: `spec.changePolicy.pullRequests`. Pure. The policy that counts is the one of
 * main, never the one that a pull request would make.
 */
import { isDeepStrictEqual } from 'node:util'
import { wantsDeletion } from '../change-policy.ts'
import type { Problem } from '../files.ts'
import type { Fleet, IntentChange } from '../fleet.ts'
import type {
  FleetSettings,
  Group,
  Installation,
  InstallationRequest,
  Intent,
  People,
  PullRequestPolicy,
} from '../intents.ts'
import { roleOf } from '../paths.ts'
import { isLarger, sizeOf } from '../sizes.ts'
import { imageIn, matches } from './patterns.ts'

/** Who asks. */
export interface PolicyAuthor {
  readonly login: string
  /** Of those that `policyTeams` names. */
  readonly teams: readonly string[]
}

export interface PolicyInput {
  readonly changes: readonly IntentChange[]
  /** Of all changed files. */
  readonly paths: Iterable<string>
  /** Undefined: rules about people are not looked at. */
  readonly author: PolicyAuthor | undefined
}

type Workspace = Installation | InstallationRequest

/** @param fleet main, without the changes. Problems have a pointer, no line. */
export function policyProblems(fleet: Pick<Fleet, 'settings'>, input: PolicyInput): readonly Problem[] {
  const policy = fleet.settings.spec.changePolicy?.pullRequests
  if (policy === undefined) return []
  const { paths, author } = input
  const changes = withMoves(input.changes)
  const moved = new Set(changes.flatMap(({ after }) => idOf(after) ?? []))
  return [
    ...changes.flatMap((change) => [
      ...imageProblems(policy, change),
      ...sizeProblems(policy, change),
      ...deletionProblems(policy, change, moved),
      ...(author === undefined ? [] : peopleProblems(policy, change, author)),
    ]),
    ...(author === undefined ? [] : otherFiles(policy, paths, author)),
  ]
}

/** Teams of which the rules must know who belongs to them. */
export function policyTeams({ spec }: FleetSettings): readonly string[] {
  const { protectedGroups = [], owners = [] } = spec.changePolicy?.pullRequests ?? {}
  const people = [...owners, ...protectedGroups.flatMap(({ versions, members }) => [versions, members])]
  return [...new Set(people.flatMap((found) => found?.teams ?? []))].sort()
}

/** A document that comes from somewhere else was there before. */
function withMoves(changes: readonly IntentChange[]): readonly IntentChange[] {
  const left = new Map<string, Intent>()
  for (const { before, after } of changes) {
    const id = idOf(before)
    if (after === undefined && before !== undefined && id !== undefined) left.set(id, before)
  }
  return changes.map((change) =>
    change.before === undefined ? { ...change, before: left.get(idOf(change.after) ?? '') } : change,
  )
}

function problem(path: string, pointer: string, detail: string): Problem {
  return { path, line: 0, column: 0, code: 'change-policy', pointer, detail }
}

const RULES = 'spec.changePolicy.pullRequests of fleet.yaml'

/** Images of installations, groups and, for new installations, the settings. */
function imageProblems(policy: PullRequestPolicy, { path, before, after }: IntentChange): readonly Problem[] {
  const allowed = policy.imageRegistries
  const [was, is] = [before, after].map((intent) => placeOf(intent, 'image'))
  if (allowed === undefined || is === undefined || is.value === was?.value) return []
  if (allowed.some((registry) => imageIn(is.value, registry))) return []
  const detail = `image ${is.value} is not from where ${RULES} allows it; use one of ${allowed.join(', ')}`
  return [problem(path, is.pointer, detail)]
}

function sizeProblems(policy: PullRequestPolicy, { path, before, after }: IntentChange): readonly Problem[] {
  const [was, is] = [before, after].map((intent) => placeOf(intent, 'size'))
  if (is === undefined || is.value === was?.value) return []
  const { largestSize, mostReplicas } = policy
  const problems: Problem[] = []
  if (largestSize !== undefined && isLarger(is.value, largestSize)) {
    const detail = `size ${is.value} is larger than ${largestSize}, the largest that ${RULES} allows; ask for a smaller one`
    problems.push(problem(path, is.pointer, detail))
  }
  const replicas = sizeOf(is.value)?.replicas
  if (mostReplicas !== undefined && replicas !== undefined && replicas > mostReplicas) {
    const detail = `size ${is.value} has ${replicas} replicas, and ${RULES} allows ${mostReplicas}; ask for a smaller one`
    problems.push(problem(path, is.pointer, detail))
  }
  return problems
}

interface Place {
  readonly value: string
  readonly pointer: string
}

/** Where an intent says it; the defaults of the settings are those of new installations. */
function placeOf(intent: Intent | undefined, field: 'image' | 'size'): Place | undefined {
  switch (intent?.kind) {
    case 'Fleet':
      return { value: intent.spec.defaults[field], pointer: `/spec/defaults/${field}` }
    case 'Installation':
    case 'InstallationRequest':
      return placed(intent.spec[field], `/spec/${field}`)
    case 'Group':
      return field === 'image' ? placed(intent.spec.image, '/spec/image') : undefined
    default:
      return undefined
  }
}

function placed(value: string | undefined, pointer: string): Place | undefined {
  return value === undefined ? undefined : { value, pointer }
}

/** @param moved ids that are there afterwards: a document that moves is not deleted */
function deletionProblems(
  policy: PullRequestPolicy,
  { path, before, after }: IntentChange,
  moved: ReadonlySet<string>,
): readonly Problem[] {
  if (policy.deletions !== false || before === undefined || before.kind === 'Tombstone') return []
  const id = idOf(before)
  if (after === undefined && id !== undefined && moved.has(id)) return []
  if (!isDeletion(before, after)) return []
  const detail = `${told(before)} would be deleted, and ${RULES} allows no deletions; delete it through the API`
  return [problem(path, '', detail)]
}

function isDeletion(before: Intent, after: Intent | undefined): boolean {
  if (after === undefined) return true
  if (isWorkspace(before) && isWorkspace(after)) return wantsDeletion(before, after)
  if (before.kind === 'Fleet' || after.kind === 'Fleet' || isWorkspace(after) || after.kind === 'Tombstone')
    return false
  const was = before.kind === 'Cluster' && before.spec.operation.kind === 'deletion'
  const is = after.kind === 'Cluster' && after.spec.operation.kind === 'deletion'
  return (is && !was) || (after.metadata.deletedAt !== undefined && !wasDeleted(before))
}

function wasDeleted({ metadata }: Intent): boolean {
  return 'deletedAt' in metadata && metadata.deletedAt !== undefined
}

/** An installation that goes leaves a tombstone, which has its id and is none. */
function idOf(intent: Intent | undefined): string | undefined {
  return isWorkspace(intent) ? intent.metadata.id : undefined
}

function isWorkspace(intent: Intent | undefined): intent is Workspace {
  return intent?.kind === 'Installation' || intent?.kind === 'InstallationRequest'
}

function peopleProblems(
  policy: PullRequestPolicy,
  change: IntentChange,
  author: PolicyAuthor,
): readonly Problem[] {
  const { path, before, after } = change
  // Who takes something over needs leave of both sides.
  const refusal = [before, after]
    .map((intent) => ownersOf(policy, intent))
    .find((people) => refuses(people, author))
  const touched =
    refusal === undefined
      ? []
      : [problem(path, '', mayNot(author, `change ${told(after ?? before)}`, refusal))]
  return [...touched, ...groupProblems(policy, change, author)]
}

function refuses(people: People | undefined, author: PolicyAuthor): boolean {
  return people !== undefined && !belongs(people, author)
}

function belongs({ logins = [], teams = [] }: People, author: PolicyAuthor): boolean {
  const own = author.teams.map((team) => team.toLowerCase())
  return (
    logins.some((login) => login.toLowerCase() === author.login.toLowerCase()) ||
    teams.some((team) => own.includes(team.toLowerCase()))
  )
}

function ownersOf({ owners = [] }: PullRequestPolicy, intent: Intent | undefined): People | undefined {
  if (intent === undefined) return undefined
  const { kind, name, owner } = subjectOf(intent)
  return owners.findLast(
    (entry) =>
      entry.kind === kind &&
      (entry.names ?? ['*']).some((pattern) => matches(pattern, name)) &&
      (entry.installationOwners === undefined ||
        entry.installationOwners.some((pattern) => matches(pattern, owner))),
  )
}

interface Subject {
  readonly kind: NonNullable<PullRequestPolicy['owners']>[number]['kind']
  readonly name: string
  /** Of an installation; of others empty, which only `*` matches. */
  readonly owner: string
}

function subjectOf(intent: Intent): Subject {
  if (intent.kind === 'Tombstone') return subjectOf(intent.spec.installation)
  if (isWorkspace(intent))
    return { kind: 'Installation', name: intent.metadata.name, owner: intent.spec.owner }
  return { kind: intent.kind, name: intent.metadata.name, owner: '' }
}

function groupProblems(
  { protectedGroups = [] }: PullRequestPolicy,
  { path, before, after }: IntentChange,
  author: PolicyAuthor,
): readonly Problem[] {
  const protectedOf = (name: string): typeof protectedGroups =>
    protectedGroups.filter(({ names }) => names.some((pattern) => matches(pattern, name)))
  if (before?.kind === 'Group' && runsOther(before, after)) {
    const { name } = before.metadata
    const refusal = protectedOf(name).find(({ versions }) => refuses(versions, author))?.versions
    if (refusal !== undefined)
      return [problem(path, '/spec', mayNot(author, `change what members of group ${name} run`, refusal))]
  }
  const joined = groupOf(after)
  if (joined === undefined || joined === groupOf(before)) return []
  const refusal = protectedOf(joined).find(({ members }) => refuses(members, author))?.members
  if (refusal === undefined) return []
  return [problem(path, '/spec/group', mayNot(author, `bring installations into group ${joined}`, refusal))]
}

function runsOther({ spec }: Group, after: Intent | undefined): boolean {
  if (after?.kind !== 'Group') return false
  return (['version', 'image', 'env', 'scheduling'] as const).some(
    (field) => !isDeepStrictEqual(spec[field], after.spec[field]),
  )
}

function groupOf(intent: Intent | undefined): string | undefined {
  return isWorkspace(intent) ? (intent.spec.group ?? undefined) : undefined
}

function otherFiles(
  { owners = [] }: PullRequestPolicy,
  paths: Iterable<string>,
  author: PolicyAuthor,
): readonly Problem[] {
  return [...paths].flatMap((path) => {
    if (roleOf(path).role !== 'other') return []
    const people = owners.findLast(
      ({ kind, names = ['*'] }) => kind === 'Other' && names.some((pattern) => matches(pattern, path)),
    )
    return people === undefined || belongs(people, author)
      ? []
      : [problem(path, '', mayNot(author, `change ${path}`, people))]
  })
}

function mayNot({ login }: PolicyAuthor, what: string, people: People): string {
  const may = [...(people.logins ?? []), ...(people.teams ?? []).map((team) => `team ${team}`)]
  const instead =
    may.length === 0 ? 'nobody may by a pull request' : `ask ${may.join(', ')} for the pull request`
  const who = login === '' ? 'an author who is not known' : login
  return `${who} may not ${what}, by ${RULES}; ${instead}`
}

function told(intent: Intent | undefined): string {
  switch (intent?.kind) {
    case undefined:
      return 'it'
    case 'Fleet':
      return 'the settings of the fleet'
    case 'SharedDatabase':
      return `shared database ${intent.metadata.name}`
    case 'Tombstone':
      return `installation ${intent.spec.installation.metadata.name}`
    case 'InstallationRequest':
      return `the request for ${intent.metadata.name}`
    default:
      return `${intent?.kind.toLowerCase()} ${intent?.metadata.name}`
  }
}
