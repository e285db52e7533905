import fc from 'fast-check'
import { test } from 'tap'
import type { Id } from '../../src/fleet/ids.ts'
import { byCreation, Ordered } from '../../src/fleet/index-maps.ts'

interface Dated {
  readonly metadata: { readonly id: Id; readonly createdAt: string }
}

const item = fc
  .record({ id: fc.integer({ min: 0, max: 20 }), day: fc.integer({ min: 1, max: 5 }) })
  .map(({ id, day }): Dated => ({ metadata: { id: `id-${id}` as Id, createdAt: `2026-01-0${day}` } }))
const step = fc.oneof(
  { weight: 3, arbitrary: item.map((added) => ({ kind: 'set' as const, item: added })) },
  { weight: 1, arbitrary: item.map((removed) => ({ kind: 'remove' as const, item: removed })) },
  { weight: 1, arbitrary: fc.constant({ kind: 'list' as const }) },
)

test('a list is what sorting everything gives, and stays as it was when it was made', async (t) => {
  fc.assert(
    fc.property(fc.array(item), fc.array(step, { maxLength: 40 }), (start, steps) => {
      const all = new Map(start.map((found) => [found.metadata.id, found]))
      const ordered = new Ordered(all.values())
      const seen: { readonly list: readonly Dated[]; readonly copy: readonly Dated[] }[] = []
      for (const done of [...steps, { kind: 'list' as const }]) {
        if (done.kind === 'set') {
          all.set(done.item.metadata.id, done.item)
          ordered.set(done.item)
        } else if (done.kind === 'remove') {
          all.delete(done.item.metadata.id)
          ordered.remove(done.item.metadata.id)
        } else {
          const list = ordered.list()
          if (!equal(list, [...all.values()].sort(byCreation))) return false
          seen.push({ list, copy: [...list] })
        }
      }
      return seen.every(({ list, copy }) => equal(list, copy))
    }),
    { numRuns: 500 },
  )
  t.pass()
})

function equal(a: readonly Dated[], b: readonly Dated[]): boolean {
  return a.length === b.length && a.every((found, at) => found === b[at])
}
