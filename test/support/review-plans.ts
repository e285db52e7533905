/** What reviews say, to test with. */
import fc from 'fast-check'
import type { Problem } from '../../src/fleet/files.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { Affected, ObjectDifference, ReviewPlan } from '../../src/fleet/review/plan.ts'
import { id } from './intents.ts'

export const BASE = '1'.repeat(40) as ObjectId
export const HEAD = '2'.repeat(40) as ObjectId

export function problem(path: string, line: number, code: string, detail: string): Problem {
  return { path, line, column: line === 0 ? 0 : 3, code, detail }
}

export function affected(name: string, number: number, more: Partial<Affected> = {}): Affected {
  return { kind: 'installation', id: id(number), name, cluster: 'prod-1', group: undefined, ...more }
}

export function difference(name: string, more: Partial<ObjectDifference> = {}): ObjectDifference {
  return {
    kind: 'installation',
    name,
    cluster: 'prod-1',
    change: 'changed',
    fields: [{ field: 'spec.version', before: '11.2.0', after: '11.3.0' }],
    files: [{ path: `clusters/prod-1/${name}.yaml`, change: 'changed', added: 1, removed: 1 }],
    diff: `diff --git a/${name}.yaml b/${name}.yaml\n--- a/${name}.yaml\n+++ b/${name}.yaml\n@@ -1,2 +1,2 @@\n kind: Installation\n-  version: "11.2.0"\n+  version: "11.3.0"\n`,
    ...more,
  }
}

export function reviewPlan(more: Partial<ReviewPlan> = {}): ReviewPlan {
  return {
    base: BASE,
    head: HEAD,
    concerns: [],
    problems: [],
    warnings: [],
    placements: [],
    objects: [],
    ...more,
    impact: { added: [], changed: [], removed: [], clusters: [], waves: [], shared: [], ...more.impact },
  }
}

/** One of everything, with a text of others wherever one can be. */
export function planWith(text: string): ReviewPlan {
  return reviewPlan({
    problems: [problem(text, 3, 'invalid-document', text)],
    warnings: [problem(text, 0, 'guarded', text)],
    placements: [{ subject: text, body: `why ${text}`.replaceAll('\n', ' '), trailers: {} }],
    objects: [
      difference(text, {
        cluster: text,
        fields: [{ field: text, before: text, after: { [text]: text } }],
        diff: `diff --git a/a b/a\n+${text}\n`,
      }),
    ],
    impact: {
      added: [affected(text, 1, { cluster: text, effect: text, costAfter: 'small' })],
      changed: [affected(text, 2, { cluster: text, effect: text, costBefore: 'small', costAfter: 'large' })],
      removed: [affected(text, 3, { cluster: text, effect: text })],
      clusters: [{ cluster: text, before: 1, after: 2, limit: 2 }],
      waves: [{ group: text, members: 3, maxRolling: 1, atOnce: false }],
      shared: [{ kind: 'cluster', name: text, installations: 2, effect: text }],
    },
  })
}

/** Plans of any size. */
export function anyPlan(text: fc.Arbitrary<string>): fc.Arbitrary<ReviewPlan> {
  const one = text.map(planWith)
  const repeated = (most: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: most })
  return fc.record({ one, many: repeated(300), long: repeated(40) }).map(({ one: plan, many, long }) => {
    const times = <Item>(items: readonly Item[]): readonly Item[] =>
      Array.from({ length: many }, () => items).flat()
    const { impact } = plan
    return {
      ...plan,
      problems: times(plan.problems),
      objects: times(plan.objects).map((object) => ({ ...object, diff: object.diff.repeat(long) })),
      impact: { ...impact, changed: times(impact.changed), removed: times(impact.removed) },
    }
  })
}
