import { test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FleetPath } from '../../src/fleet/ids.ts'
import { clusterPath, groupPath, installationPath, requestPath } from '../../src/fleet/paths.ts'
import { requestOf } from '../../src/fleet/requests.ts'
import { AWS, cluster, group, id, installation, settings } from '../support/intents.ts'

const documents = createDocuments()

test('every kind is read back as it was written, by both ways of reading', async (t) => {
  const placed = installation('acme', 1, { placement: { cluster: 'prod-1' }, env: { A: { value: '1' } } })
  const all = [
    ['fleet.yaml' as FleetPath, settings({ aws: AWS })],
    [clusterPath('prod-1'), cluster('prod-1', 2)],
    [groupPath('canary'), group('canary', 3, { env: { B: { secret: { key: 'k' } } } })],
    [installationPath('prod-1', id(1)), placed],
    [requestPath(id(1)), requestOf(installation('acme', 1), 'no cluster fits')],
  ] as const
  for (const [path, intent] of all) {
    const text = documents.emit(intent)
    for (const read of [documents.parse(path, text), documents.parseBulk(path, text)]) {
      t.same(read.problems, [], path)
      t.same(read.intent, intent, path)
    }
    t.equal(documents.emit(documents.parse(path, text).intent ?? intent), text, 'the text is canonical')
  }
})

test('each mistake is told with its place and what would be right', async (t) => {
  const path = 'requests/acme.yaml' as FleetPath
  const head = 'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: acme\n'
  const table = [
    [
      `${head}spec:\n  owner: me\n  versoin: 11.2.0\n`,
      '7:3: the key versoin is not known; did you mean version?',
    ],
    [`${head}spec:\n  size: 100users\n`, '5:1: the key owner is missing; add it'],
    [`${head}spec:\n  owner: 5\n`, '6:3: this is a number; write a string'],
    [`${head}spec:\n  owner: me\n  owner: you\n`, '7:3: this key is given twice; keep one of them'],
    [
      `${head}spec:\n  owner: me\n  affinity: alone\n`,
      '7:3: this is not one of the known values; write one of isolated, multitenant',
    ],
    [
      'apiVersion: fleet.fleetwright.dev/v1\nkind: Group\n',
      '2:1: this is a document of kind Group; here belongs InstallationRequest',
    ],
  ] as const
  for (const [text, wanted] of table) {
    const { intent, problems } = documents.parseBulk(path, text)
    t.equal(intent, undefined)
    t.equal(problems.map(({ line, column, detail }) => `${line}:${column}: ${detail}`).join('\n'), wanted)
  }
})

test('an edit keeps what a person wrote around it', async (t) => {
  const before = group('canary', 3)
  const text = `# Canaries first.\n${documents.emit(before).replace('maxRolling: 1', 'maxRolling: 1 # one at a time')}`
  const after = { ...before, spec: { ...before.spec, version: '11.3.0' } }
  const edited = documents.edit(text, before, after)
  t.match(edited, /^# Canaries first\./)
  t.match(edited, /maxRolling: 1 # one at a time/)
  t.same(documents.parse(groupPath('canary'), edited).intent, after)
})
