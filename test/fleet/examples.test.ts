import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FleetPath, Id } from '../../src/fleet/ids.ts'
import { type IntentKind, UTILITY_NAMES } from '../../src/fleet/intents.ts'
import {
  clusterPath,
  databasePath,
  FLEET_PATH,
  groupPath,
  installationPath,
  tombstonePath,
} from '../../src/fleet/paths.ts'
import { createSchemas, SCHEMAS } from '../../src/fleet/schemas.ts'
import { CHART_VERSION } from '../../src/fleet/utilities.ts'

const FOLDER = join(import.meta.dirname, '../../fleet-repo-schema/examples')
const ACME = 'wb1ndrfg8ejkmcpqxot1uwisza' as Id
const documents = createDocuments()

/** Name that the examples of a kind start with, and where a document of that kind belongs. */
const KINDS: readonly (readonly [string, IntentKind, FleetPath])[] = [
  ['installation-request', 'InstallationRequest', 'requests/example.yaml' as FleetPath],
  ['installation', 'Installation', installationPath('prod-1', ACME)],
  ['shared-database', 'SharedDatabase', databasePath('shared-1')],
  ['tombstone', 'Tombstone', tombstonePath('prod-1', ACME)],
  ['cluster', 'Cluster', clusterPath('prod-1')],
  ['fleet', 'Fleet', FLEET_PATH],
  ['group', 'Group', groupPath('canary')],
]

function pathFor(name: string): FleetPath {
  const found = KINDS.find(([prefix]) => name.startsWith(prefix))
  if (found === undefined) throw new Error(`${name} is an example of no kind`)
  return found[2]
}

function textOf(folder: 'valid' | 'invalid', name: string): string {
  return readFileSync(join(FOLDER, folder, name), 'utf8')
}

test('the valid examples are valid, and every kind has one', async (t) => {
  const names = readdirSync(join(FOLDER, 'valid'))
  t.same(names.sort(), KINDS.map(([name]) => `${name}.yaml`).sort())
  t.same(KINDS.map(([, kind]) => kind).sort(), Object.keys(SCHEMAS).sort())
  for (const name of names) t.same(documents.parse(pathFor(name), textOf('valid', name)).problems, [], name)
})

test('the invalid examples are refused as they say', async (t) => {
  const names = readdirSync(join(FOLDER, 'invalid'))
  for (const name of names) {
    const text = textOf('invalid', name)
    const expected = [...text.matchAll(/^# expect: (.*)$/gm)].map(([, line]) => line)
    const { problems } = documents.parse(pathFor(name), text)
    t.same(
      problems.map(({ line, column, detail }) => `${line}:${column}: ${detail}`),
      expected,
      name,
    )
    t.not(expected.length, 0, name)
  }
  for (const [prefix, , path] of KINDS) {
    const ofKind = names.filter((name) => pathFor(name) === path)
    t.ok(ofKind.length >= 2, `${prefix} has several invalid examples`)
  }
})

test('every schema shows the valid example of its kind', async (t) => {
  const schemas = createSchemas()
  for (const [name, kind] of KINDS) {
    const { examples } = SCHEMAS[kind]
    t.same(examples, [parse(textOf('valid', `${name}.yaml`))], kind)
    for (const example of examples) t.same(schemas.check(kind, example), [], kind)
  }
})

/** Where a schema says nothing about a property, or about a definition. */
function undescribed(schema: unknown, at = ''): readonly string[] {
  if (typeof schema !== 'object' || schema === null) return []
  return Object.entries(schema).flatMap(([key, value]) => {
    if (key === 'examples') return []
    if (key !== 'properties' && key !== '$defs') return undescribed(value, at)
    return Object.entries<object>(value).flatMap(([name, field]) => {
      const here = `${at}/${name}`
      const said = 'description' in field && typeof field.description === 'string' && field.description !== ''
      return [...(said ? [] : [here]), ...undescribed(field, here)]
    })
  })
}

test('every property of every schema is described', async (t) => {
  for (const [kind, schema] of Object.entries(SCHEMAS)) t.same(undescribed(schema), [], kind)
  t.same(undescribed({ properties: { a: { description: 'A.' }, b: { items: { properties: { c: {} } } } } }), [
    '/b',
    '/b/c',
  ])
})

test('the schemas know the utilities and versions that the code knows', async (t) => {
  for (const { properties, $defs } of [SCHEMAS.Fleet, SCHEMAS.Cluster]) {
    t.same(Object.keys(properties.spec.properties.utilities.properties), UTILITY_NAMES)
    t.equal($defs.utility.properties.chart.pattern, CHART_VERSION.source)
  }
})

test('a new fleet starts with the example', async (t) => {
  const folder = join(import.meta.dirname, '../..')
  const texts = ['examples/fleet.yaml', 'fleet-repo-schema/examples/valid/fleet.yaml'].map((name) =>
    readFileSync(join(folder, name), 'utf8'),
  )
  t.equal(texts[0], texts[1])
})

test('the example of a change policy is valid in a fleet', async (t) => {
  const [policy] = SCHEMAS.Fleet.properties.spec.properties.changePolicy.examples
  const fleet = parse(textOf('valid', 'fleet.yaml'))
  t.ok(policy?.review.deletions)
  t.same(createSchemas().check('Fleet', { ...fleet, spec: { ...fleet.spec, changePolicy: policy } }), [])
})
