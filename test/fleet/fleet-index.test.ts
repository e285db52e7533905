import fc from 'fast-check'
import { test } from 'tap'
import type { IntentChange } from '../../src/fleet/fleet.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import { installationPath, requestPath } from '../../src/fleet/paths.ts'
import { requestOf } from '../../src/fleet/requests.ts'
import { id, installation, settings } from '../support/intents.ts'

/** What can be asked of an index, as plain data. */
function answers(index: FleetIndex): unknown {
  return {
    paths: [...index.paths()].sort(),
    all: index.installations().map(({ metadata }) => metadata.name),
    waiting: index.waiting().map(({ metadata }) => metadata.name),
    clusters: ['a', 'b'].map((name) => [
      index.occupancy(name),
      index
        .installationsOn(name)
        .map(({ metadata }) => metadata.id)
        .sort(),
    ]),
    usage: [index.usage('db').installations, [...index.usage('db').byLogicalDatabase].sort()],
    names: ['n0', 'n1', 'n2', 'n3'].map((name) => index.installationByName(name)?.metadata.id),
    dns: ['n0', 'n1', 'n2', 'n3'].map(
      (name) => index.installationByDns(`${name}.cloud.example.com`)?.metadata.id,
    ),
  }
}

const step = fc.record({
  number: fc.integer({ min: 0, max: 3 }),
  where: fc.constantFrom('a', 'b', 'waiting', 'gone'),
  shared: fc.boolean(),
})

test('taking changes back gives the index as it was', async (t) => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const index = new FleetIndex(settings())
      for (const { number, where, shared } of steps) {
        const before = answers(index)
        const inverse = index.apply(changesFor(index, number, where, shared))
        const after = answers(index)
        const again = index.apply(inverse)
        if (JSON.stringify(answers(index)) !== JSON.stringify(before)) return false
        index.apply(again)
        if (JSON.stringify(answers(index)) !== JSON.stringify(after)) return false
      }
      return JSON.stringify(answers(index.clone())) === JSON.stringify(answers(index))
    }),
    { numRuns: 300 },
  )
  t.pass('300 random histories')
})

/** Moves installation `number` to a cluster, to the waiting ones, or away. */
function changesFor(
  index: FleetIndex,
  number: number,
  where: string,
  shared: boolean,
): readonly IntentChange[] {
  const paths = [
    installationPath('a', id(number)),
    installationPath('b', id(number)),
    requestPath(id(number)),
  ]
  const removals = paths
    .filter((path) => index.intent(path) !== undefined)
    .map((path) => ({ path, before: index.intent(path), after: undefined }))
  if (where === 'gone') return removals
  const database = shared
    ? {
        kind: 'aws-multitenant-rds-postgres' as const,
        shared: { database: 'db', logicalDatabase: `l${number}` },
      }
    : { kind: 'cloudnative-pg' as const }
  if (where === 'waiting')
    return [
      ...removals.filter(({ path }) => path !== requestPath(id(number))),
      {
        path: requestPath(id(number)),
        before: undefined,
        after: requestOf(installation(`n${number}`, number, { database }), 'none fits'),
      },
    ]
  const path = installationPath(where, id(number))
  return [
    ...removals.filter((removal) => removal.path !== path),
    {
      path,
      before: undefined,
      after: installation(`n${number}`, number, { database, placement: { cluster: where } }),
    },
  ]
}
