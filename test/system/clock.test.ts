import fc from 'fast-check'
import { test } from 'tap'
import { createPooledRandomness } from '../../src/system/clock.ts'

/** Bytes that count up, so that each one tells where it was drawn. */
function counting(): { readonly bytes: (count: number) => Uint8Array; readonly drawn: () => number } {
  let drawn = 0
  const next = (): number => {
    drawn += 1
    return drawn % 251
  }
  return { bytes: (count) => Uint8Array.from({ length: count }, next), drawn: () => drawn }
}

test('pooled randomness gives as many bytes as asked for, none of them twice', async (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 0, max: 256 }), { maxLength: 60 }), (counts) => {
      const source = counting()
      const pooled = createPooledRandomness(source)
      let last = 0
      for (const count of counts) {
        const bytes = pooled.bytes(count)
        if (bytes.length !== count) return false
        for (const [at, byte] of bytes.entries())
          if (at > 0 && byte !== ((bytes[at - 1] ?? 0) + 1) % 251) return false
        if (count > 0 && last !== 0 && bytes[0] === last && count > 1) return false
        last = bytes.at(-1) ?? last
      }
      return true
    }),
  )
  const source = counting()
  const pooled = createPooledRandomness(source)
  const first = pooled.bytes(26)
  const second = pooled.bytes(26)
  t.same(
    [...first],
    Array.from({ length: 26 }, (_, at) => at + 1),
  )
  t.same(
    [...second],
    Array.from({ length: 26 }, (_, at) => at + 27),
  )
  t.ok(source.drawn() > 52, 'drawn in a larger piece')
})

test('bytes that were given out stay as they are', async (t) => {
  const pooled = createPooledRandomness(counting())
  const first = pooled.bytes(8)
  const before = [...first]
  for (let i = 0; i < 1_000; i += 1) pooled.bytes(26)
  t.same([...first], before)
})

test('large pieces do not go through the pool', async (t) => {
  const source = counting()
  t.equal(createPooledRandomness(source).bytes(10_000).length, 10_000)
  t.equal(source.drawn(), 10_000)
})
