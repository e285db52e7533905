import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FleetPath } from '../../src/fleet/ids.ts'
import { UTILITY_NAMES } from '../../src/fleet/intents.ts'
import { clusterPath, databasePath, FLEET_PATH, groupPath } from '../../src/fleet/paths.ts'
import { SCHEMAS } from '../../src/fleet/schemas.ts'
import { CHART_VERSION } from '../../src/fleet/utilities.ts'

const FOLDER = join(import.meta.dirname, '../../fleet-repo-schema/examples')
const documents = createDocuments()

/** Where a document of an example's kind belongs. */
function pathFor(name: string): FleetPath {
  if (name.startsWith('fleet')) return FLEET_PATH
  if (name.startsWith('group')) return groupPath('canary')
  if (name.startsWith('shared-database')) return databasePath('shared-1')
  return name.startsWith('cluster') ? clusterPath('prod-1') : ('requests/example.yaml' as FleetPath)
}

test('the valid examples are valid', async (t) => {
  for (const name of readdirSync(join(FOLDER, 'valid')))
    t.same(
      documents.parse(pathFor(name), readFileSync(join(FOLDER, 'valid', name), 'utf8')).problems,
      [],
      name,
    )
})

test('the invalid examples are refused as they say', async (t) => {
  for (const name of readdirSync(join(FOLDER, 'invalid'))) {
    const text = readFileSync(join(FOLDER, 'invalid', name), 'utf8')
    const expected = [...text.matchAll(/^# expect: (.*)$/gm)].map(([, line]) => line)
    const { problems } = documents.parse(pathFor(name), text)
    t.same(
      problems.map(({ line, column, detail }) => `${line}:${column}: ${detail}`),
      expected,
      name,
    )
    t.not(expected.length, 0, name)
  }
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
