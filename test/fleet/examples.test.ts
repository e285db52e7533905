import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FleetPath } from '../../src/fleet/ids.ts'

const FOLDER = join(import.meta.dirname, '../../fleet-repo-schema/examples')
const documents = createDocuments()

/** Where a document of an example's kind belongs. */
function pathFor(name: string): FleetPath {
  return (name.startsWith('fleet') ? 'fleet.yaml' : 'requests/example.yaml') as FleetPath
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
