/** Properties of transactions over random histories of every kind of request. */
import fc from 'fast-check'
import { test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import { isFleetError } from '../../src/fleet/errors.ts'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import { clusterPath, databasePath, groupPath } from '../../src/fleet/paths.ts'
import { installationLimit } from '../../src/fleet/placement.ts'
import { refuseViolations } from '../../src/fleet/rules/check.ts'
import type { Transaction } from '../../src/fleet/transaction.ts'
import { requestContext } from '../support/git-writer.ts'
import { answersOf } from '../support/index-answers.ts'
import { AWS, cluster, group, id, settings } from '../support/intents.ts'
import { SHARED } from '../support/random-installations.ts'
import {
  GROUPS,
  type RandomRequest,
  REQUEST_KINDS,
  randomHistory,
  randomRequest,
  transactionOf,
  World,
} from '../support/random-requests.ts'

const documents = createDocuments()

/** Two small clusters, one of them for Europe, a shared database that takes two, two groups. */
function startFleet(): FleetIndex {
  const fleet = new FleetIndex(settings({ aws: AWS }))
  const small = (installations: number): object => ({ installations, thresholdPercent: 100 })
  const clusters = [
    cluster('a', 900, { vpc: 'vpc-1', capacity: small(3) }),
    cluster('b', 901, { vpc: 'vpc-1', capacity: small(2) }, ['eu-only']),
  ]
  const rings = Object.keys(GROUPS).map((name, at) => group(name, 910 + at, { version: '11.0.0' }))
  const database = {
    ...SHARED,
    spec: {
      ...SHARED.spec,
      databaseKind: 'aws-multitenant-rds-postgres-pgbouncer' as const,
      maxInstallations: 2,
      maxInstallationsPerLogicalDatabase: 1,
    },
  }
  fleet.apply([
    ...clusters.map((after) => ({ path: clusterPath(after.metadata.name), before: undefined, after })),
    ...rings.map((after) => ({ path: groupPath(after.metadata.name), before: undefined, after })),
    { path: databasePath('shared-1'), before: undefined, after: database },
  ])
  return fleet
}

function isKnown(fleet: FleetIndex, number: number): boolean {
  return fleet.installation(id(number)) !== undefined || fleet.tombstone(id(number)) !== undefined
}

/** As the writer does it: the transaction, then the rules. Undefined: refused. */
function attempt(
  fleet: FleetIndex,
  transaction: Transaction<unknown>,
  step: number,
): readonly IntentChange[] | undefined {
  try {
    const { changes, text } = transaction(fleet, requestContext(step))
    refuseViolations(fleet, changes)
    if (!/^\S[^\n]{3,199}$/.test(text.subject)) throw new Error(`no subject: ${text.subject}`)
    return changes
  } catch (error) {
    if (isFleetError(error)) return undefined
    throw error
  }
}

function loaded(fleet: FleetIndex): FleetIndex {
  const fresh = new FleetIndex(fleet.settings)
  const changes = [...fleet.intents()].map(([path, after]) => ({ path, before: undefined, after }))
  fresh.apply(changes.reverse())
  return fresh
}

/** What is wrong with a fleet, whatever was asked for; empty: nothing. */
function broken(fleet: FleetIndex): readonly string[] {
  const found: string[] = []
  for (const there of fleet.clusters()) {
    const { name, annotations = [] } = there.metadata
    const members = fleet.installationsOn(name)
    if (members.length > installationLimit(fleet, there)) found.push(`${name} is too full`)
    if (members.length > 1 && members.some(({ spec }) => spec.affinity === 'isolated'))
      found.push(`${name} holds one that wants to be alone`)
    for (const { metadata } of members)
      for (const wanted of metadata.annotations ?? [])
        if (!annotations.includes(wanted)) found.push(`${metadata.name} is on ${name} without ${wanted}`)
    if (members.length > 0 && there.metadata.deletedAt !== undefined) found.push(`${name} was deleted`)
  }
  for (const [logical, count] of fleet.usage('shared-1').byLogicalDatabase)
    if (count > 1) found.push(`${logical} has ${count} schemas`)
  const names = fleet
    .installations()
    .flatMap(({ spec }) => spec.dns.filter(({ deletedAt }) => deletedAt === undefined))
    .map(({ name }) => name)
  if (new Set(names).size !== names.length) found.push('a DNS name is there twice')
  for (const { metadata, spec } of fleet.installations()) {
    if (spec.dns.filter(({ primary }) => primary === true).length !== 1)
      found.push(`${metadata.name}: primary`)
    const joined = typeof spec.group === 'string' ? fleet.group(spec.group) : undefined
    const known = [joined?.spec.sequence, ...(joined?.spec.previous ?? []).map(({ sequence }) => sequence)]
    if (joined !== undefined && !known.includes(spec.groupSequence))
      found.push(`${metadata.name} runs a sequence that ${joined.metadata.name} does not know`)
  }
  return found
}

/** Changes of locked objects that were no locks. */
function brokenLocks(changes: readonly IntentChange[], { kind }: RandomRequest): readonly string[] {
  return changes
    .filter(
      ({ before }) => before !== undefined && 'apiLocked' in before.spec && before.spec.apiLocked === true,
    )
    .filter(() => !kind.startsWith('lock') && kind !== 'place' && kind !== 'remove')
    .map(({ path }) => path)
}

interface Step {
  readonly fleet: FleetIndex
  readonly request: RandomRequest
  /** Asks once more. Undefined: refused. */
  readonly ask: () => readonly IntentChange[] | undefined
}

/** Goes through a history; each step is applied when it was accepted. */
function play(
  requests: readonly RandomRequest[],
  visit: (step: Step) => readonly IntentChange[] | undefined,
): void {
  const fleet = startFleet()
  const world = new World()
  for (const [at, request] of requests.entries()) {
    // Ids are made at random: none comes twice.
    if (request.kind === 'create' && isKnown(fleet, request.number)) continue
    if (request.settled) world.settle(fleet)
    const ask = (): readonly IntentChange[] | undefined =>
      attempt(fleet, transactionOf(request, world, at), at)
    fleet.apply(visit({ fleet, request, ask }) ?? [])
  }
}

test('whatever is asked for, in whatever order', async (t) => {
  const check = ({ fleet, request, ask }: Step): readonly IntentChange[] | undefined => {
    const before = answersOf(fleet)
    const changes = ask()
    t.same(answersOf(fleet), before, 'a transaction changes nothing by itself')
    if (changes === undefined) return undefined
    t.same(ask(), changes, 'run again, it is the same')
    t.same(brokenLocks(changes, request), [], 'what is locked stays')
    for (const { path, before: was, after } of changes) {
      t.equal(was, fleet.intent(path), 'what was there is what is replaced')
      if (after !== undefined) t.same(documents.errors(path, after, documents.emit(after)), [])
    }
    const inverse = fleet.apply(changes)
    const after = answersOf(fleet)
    t.same(answersOf(loaded(fleet)), after, 'as if it was loaded')
    t.same(broken(fleet), [])
    fleet.apply(inverse)
    t.same(answersOf(fleet), before, 'taken back')
    fleet.apply(changes)
    t.same(answersOf(fleet), after, 'and applied again')
    fleet.apply(inverse)
    return changes
  }
  fc.assert(
    fc.property(randomHistory, (requests) => play(requests, check)),
    { numRuns: 60 },
  )
})

test('such histories have every kind of request in them, accepted and refused', async (t) => {
  const accepted = new Set<string>()
  const refused = new Set<string>()
  for (const requests of fc.sample(randomHistory, { numRuns: 100, seed: 7 }))
    play(requests, ({ request, ask }) => {
      const changes = ask()
      if (changes === undefined) refused.add(request.kind)
      else accepted.add(request.kind)
      return changes
    })
  t.same([...accepted].sort(), [...REQUEST_KINDS].sort())
  t.ok(refused.size > 25, `${refused.size} kinds were refused at times`)
})

/** Installations 1 and 2, placed and stable. */
function twoInstallations(): { readonly fleet: FleetIndex; readonly world: World } {
  const fleet = startFleet()
  const world = new World()
  const base = { affinity: 'multitenant', database: 'cloudnative-pg', annotations: [], flag: false } as const
  for (const number of [1, 2]) {
    const request = {
      ...base,
      kind: 'create',
      number,
      cluster: 'a',
      group: 'ring-1',
      text: '11.0.0',
      settled: false,
    } as const
    fleet.apply(attempt(fleet, transactionOf(request, world, number), number) ?? [])
  }
  world.settle(fleet)
  if (fleet.waitingCount() > 0 || fleet.installationCount() !== 2) throw new Error('there is no room')
  return { fleet, world }
}

const INDEPENDENT = [
  'update',
  'join',
  'lock',
  'lock deletion',
  'hibernate',
  'delete',
  'schedule deletion',
  'add volume',
] as const

test('requests for different installations may come in any order', async (t) => {
  let both = 0
  fc.assert(
    fc.property(randomRequest(INDEPENDENT, [1]), randomRequest(INDEPENDENT, [2]), (first, second) => {
      const results = [
        [first, second],
        [second, first],
      ].map((requests) => {
        const { fleet, world } = twoInstallations()
        const changes = requests.map((request) => {
          const made = attempt(fleet, transactionOf(request, world, request.number), request.number) ?? []
          fleet.apply(made)
          return made.length
        })
        if (changes.every((count) => count > 0)) both += 1
        return answersOf(fleet)
      })
      t.same(results[0], results[1])
    }),
  )
  t.ok(both > 50, `${both} times both changed something`)
})
