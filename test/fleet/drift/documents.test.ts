/** Drift of everything that is rendered is found: each kind of a manifest is one that is watched. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { documentsByKey, kindOf } from '../../../src/fleet/drift/documents.ts'
import { isJsonObject } from '../../../src/fleet/observed/json.ts'
import { parseManifests } from '../../../src/fleet/yaml/bulk.ts'

const GOLDEN = join(import.meta.dirname, '../../golden/installations')

test('every kind that an installation is rendered to is compared', async (t) => {
  for (const name of readdirSync(GOLDEN)) {
    const documents = parseManifests(readFileSync(join(GOLDEN, name), 'utf8')).filter(isJsonObject)
    const unknown = documents.filter((document) => kindOf(document) === undefined)
    t.strictSame(
      unknown.map(({ apiVersion, kind }) => `${apiVersion} ${kind}`),
      [],
      name,
    )
    t.equal(documentsByKey(documents).size, documents.length, `${name}: no two documents have the same key`)
  }
})
