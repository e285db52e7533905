import { test } from 'tap'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { createManifests } from '../../src/git/manifests.ts'
import { id } from '../support/intents.ts'

const FOLDER = 'f'.repeat(40) as ObjectId
const FILE = 'e'.repeat(40) as ObjectId

function manifestsWith(text: string) {
  return createManifests({
    objects: {
      blob: async () => Buffer.from(text),
      tree: async () => [{ name: 'manifest.yaml', oid: FILE, mode: '100644' }],
    },
    folders: { at: async () => FOLDER },
    writer: { head: FOLDER },
  })
}

test('a manifest is read as its documents', async (t) => {
  const { version, documents } = await manifestsWith('kind: A\n---\nkind: B\n').of('prod-1', id(1))
  t.equal(version, FILE)
  t.strictSame(documents, [{ kind: 'A' }, { kind: 'B' }])
})

test('one that is no YAML is refused without a word of what it holds', async (t) => {
  const refused = await manifestsWith('kind: A\ndata: [hunter2\n')
    .of('prod-1', id(1))
    .catch((error: unknown) => error)
  t.match(refused, { code: 'invalid-document', message: /manifest\.yaml is no YAML$/ })
  t.notMatch(
    String(refused instanceof Error ? [refused.message, refused.stack, refused.cause] : ''),
    /hunter2/,
  )
})
