import { test } from 'tap'
import { createTwoFilesPatch } from 'diff'
import { unifiedDiff } from '../../../src/fleet/review/unified-diff.ts'

const lines = (count: number, of: (at: number) => string): string =>
  Array.from({ length: count }, (_, at) => `${of(at)}\n`).join('')

test('a file that is new, gone, without an end, or the same', (t) => {
  const rows = [
    [undefined, 'a\nb\n'],
    ['a\nb\n', undefined],
    [undefined, 'a'],
    [undefined, ''],
    ['a\n', 'a\n'],
    ['a\n', 'b'],
    ['', 'a\n'],
  ] as const
  for (const [before, after] of rows) {
    const [from, to] = [before === undefined ? '/dev/null' : 'a/x', after === undefined ? '/dev/null' : 'b/x']
    const expected = createTwoFilesPatch(from, to, before ?? '', after ?? '', undefined, undefined, {
      context: 3,
    })
      .replace(/^=+\n/, '')
      .replace(/\t$/gm, '')
    t.equal(
      unifiedDiff('x', before, after),
      `diff --git a/x b/x\n${expected}`,
      JSON.stringify([before, after]),
    )
  }
  t.end()
})

test('texts that have nothing in common are replaced as a whole, at once', (t) => {
  const [before, after] = [lines(100_000, (at) => `a${at}`), lines(100_000, (at) => `b${at}`)]
  const started = performance.now()
  const diff = unifiedDiff('x', before, after)
  t.ok(performance.now() - started < 20_000, 'no time by the square of the lines')
  t.match(diff, /^diff --git a\/x b\/x\n--- a\/x\n\+\+\+ b\/x\n@@ -1,100000 \+1,100000 @@\n-a0\n/)
  t.equal(diff.split('\n').filter((line) => line.startsWith('+b')).length, 100_000)
  t.end()
})
