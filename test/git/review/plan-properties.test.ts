/** Planning leaves everything as it was, and says what the writer then does. */
import fc from 'fast-check'
import { test } from 'tap'
import { createDocuments } from '../../../src/fleet/documents.ts'
import type { ObjectId } from '../../../src/fleet/ids.ts'
import {
  clusterPath,
  FLEET_PATH,
  groupPath,
  installationPath,
  manifestPath,
} from '../../../src/fleet/paths.ts'
import { objectDifferences } from '../../../src/fleet/review/differences.ts'
import type { ObjectDifference } from '../../../src/fleet/review/plan.ts'
import { createRenderChanges } from '../../../src/render/render.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../../src/system/template-files.ts'
import { creation, importCluster, requestContext } from '../../support/git-writer.ts'
import { answersOf } from '../../support/index-answers.ts'
import { group, id } from '../../support/intents.ts'
import { type ReviewedFleet, startReviews } from '../../support/reviews.ts'

const documents = createDocuments()
const NAMES = ['red', 'blue', 'green'] as const

type Step =
  | {
      readonly kind: 'request'
      readonly file: number
      readonly name: string
      readonly group?: string
      readonly comment: boolean
    }
  | { readonly kind: 'group'; readonly name: string; readonly version: string }
  | { readonly kind: 'edit'; readonly number: number; readonly from: RegExp; readonly to: string }
  | { readonly kind: 'remove'; readonly path: string }
  | { readonly kind: 'text'; readonly path: string; readonly text: string }

const name = fc.constantFrom(...NAMES)
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      kind: fc.constant('request' as const),
      file: fc.nat(3),
      name,
      group: fc.option(name, { nil: undefined }),
      comment: fc.boolean(),
    }) as fc.Arbitrary<Step>,
  },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('group' as const),
      name,
      version: fc.constantFrom('11.2.0', '11.3.0'),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.constantFrom<Step>(
      { kind: 'edit', number: 1, from: /owner: owner/, to: 'owner: somebody # for a while' },
      { kind: 'edit', number: 1, from: /owner: owner/, to: 'owner: owner\n  group: red' },
      { kind: 'edit', number: 2, from: /size: 100users/, to: 'size: 5000users' },
      { kind: 'edit', number: 2, from: /size: 100users/, to: 'size: nothing' },
      { kind: 'edit', number: 2, from: /kind: Installation/, to: 'kind: [' },
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom<Step>(
      { kind: 'remove', path: clusterPath('prod-1') },
      { kind: 'remove', path: installationPath('prod-1', id(1)) },
      { kind: 'remove', path: groupPath('red') },
      { kind: 'remove', path: FLEET_PATH },
      { kind: 'text', path: manifestPath('prod-1', id(1)), text: 'edited: by hand\n' },
      { kind: 'text', path: 'README.md', text: 'Read me.\n' },
    ),
  },
)

async function start(t: Parameters<typeof startReviews>[0]): Promise<ReviewedFleet> {
  const render = createRenderChanges(await readTemplateSets(TEMPLATE_FOLDER))
  const fleet = await startReviews(t, { render })
  await fleet.writer.submit(importCluster('prod-1', 100), requestContext(0))
  await fleet.writer.submit(creation(1), requestContext(1))
  await fleet.writer.submit(creation(2), requestContext(2))
  return fleet
}

async function textAt(fleet: ReviewedFleet, path: string): Promise<string | undefined> {
  return await fleet.writer.atHead(async ({ editor, reader }) => {
    const oid = await editor.at(path)
    return oid === undefined ? undefined : Buffer.from(await reader.blob(oid)).toString('utf8')
  })
}

/** The files that steps lead to; steps that do not fit do nothing. */
async function filesOf(
  fleet: ReviewedFleet,
  steps: readonly Step[],
): Promise<Readonly<Record<string, string | undefined>>> {
  const files: Record<string, string | undefined> = {}
  for (const [at, one] of steps.entries()) {
    if (one.kind === 'text') files[one.path] = one.text
    if (one.kind === 'remove' && (await textAt(fleet, one.path)) !== undefined) files[one.path] = undefined
    if (one.kind === 'edit') {
      const path = installationPath('prod-1', id(one.number))
      const text = await textAt(fleet, path)
      if (text !== undefined) files[path] = text.replace(one.from, one.to)
    }
    if (one.kind === 'group') {
      const path = groupPath(one.name)
      const present = documents.parse(path, (await textAt(fleet, path)) ?? '').intent
      const before =
        present?.kind === 'Group' ? present : group(one.name, 600 + NAMES.indexOf(one.name as 'red'))
      files[path] = documents.emit({ ...before, spec: { ...before.spec, version: one.version } })
    }
    if (one.kind === 'request') {
      const joins = one.group === undefined ? '' : `  group: ${one.group}\n`
      const comment = one.comment ? '# Asked for by Ada.\n' : ''
      files[`requests/r-${one.file}.yaml`] =
        `${comment}apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: ${one.name}-${at}\nspec:\n  owner: grace\n  dns:\n    - ${one.name}.cloud.example.com\n${joins}`
    }
  }
  return files
}

/** Ids and times are made up in a plan. */
function plain(objects: readonly ObjectDifference[]): unknown {
  const text = (value: unknown): string =>
    JSON.stringify(value)
      .replaceAll(/installations\/[a-z0-9]\/[a-z0-9]{26}/g, 'installations/S/ID')
      .replaceAll(/\b[a-z0-9]{26}\b/g, 'ID')
      .replaceAll(/\bmm-[a-z0-9]{4}\b/g, 'mm-ID')
      .replaceAll(/checksum\/secrets: [\\"]*[0-9a-f]{8}[\\"]*/g, 'checksum/secrets: SUM')
      // Some ids look like numbers, and are quoted.
      .replaceAll('\\"ID\\"', 'ID')
      .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
  return objects.map(text).sort()
}

async function carriedOut(fleet: ReviewedFleet, base: ObjectId): Promise<readonly ObjectDifference[]> {
  const tip = await fleet.main()
  return await fleet.writer.atHead(async ({ reader, index }) => {
    const changed = await reader.changedFiles(base, tip)
    const text = async (oid: ObjectId | undefined): Promise<string | undefined> =>
      oid === undefined ? undefined : Buffer.from(await reader.blob(oid)).toString('utf8')
    const files = await Promise.all(
      changed.map(async ({ path, from, to }) => ({ path, before: await text(from), after: await text(to) })),
    )
    return objectDifferences(files, (found) => index.installation(found as never)?.metadata.name)
  })
}

test('a plan leaves the index and the trees as they were, and what it says without problems is what happens', async (t) => {
  let merged = 0
  let refused = 0
  const run = async (changes: readonly (readonly Step[])[]): Promise<void> => {
    const fleet = await start(t)
    for (const steps of changes) {
      const head = await fleet.propose(await filesOf(fleet, steps))
      const seen = (): Promise<unknown> =>
        fleet.writer.atHead(async ({ index, editor }) => [answersOf(index), editor.root])
      const before = await seen()
      const plan = await fleet.plan(head)
      t.same(await seen(), before, 'as it was')
      t.equal(await fleet.main(), plan.base)
      if (plan.problems.length > 0) {
        refused += 1
        continue
      }
      await fleet.merge(head)
      // What follows is written before the next request.
      await fleet.writer.submit(creation(50, 'last'), requestContext(50)).catch(() => undefined)
      merged += 1
      t.same(fleet.writer.problems(), [])
      const last = (object: ObjectDifference): boolean => object.name !== 'last'
      t.same(plain((await carriedOut(fleet, plan.base)).filter(last)), plain(plan.objects), 'as it said')
    }
  }
  const changes = fc.array(fc.array(step, { minLength: 1, maxLength: 4 }), { minLength: 1, maxLength: 3 })
  await fc.assert(fc.asyncProperty(changes, run), { numRuns: 12 })
  t.ok(merged > 0 && refused > 0, `both happen (${merged} merged, ${refused} refused)`)
})
