import fc from 'fast-check'
import { test } from 'tap'
import {
  code,
  fenced,
  html,
  link,
  prose,
  shortened,
  visible,
} from '../../../src/fleet/review/markdown-text.ts'
import { anyText, HOSTILE } from '../../support/hostile-texts.ts'
import { OUTSIDE, structureOf, textOutsideCode } from '../../support/markdown.ts'

test('text of others stays text in a sentence, a list, a cell and a block', async (t) => {
  const places: readonly (readonly [string, (text: string) => string])[] = [
    ['item', (text) => `- ${code('x')}: ${prose(text)}\n- next`],
    ['first of an item', (text) => `- ${prose(text)}\n- next`],
    ['cell', (text) => `| a | b |\n|---|---|\n| ${code(text)} | ${prose(text)} |\n\nend`],
    [
      'block',
      (text) =>
        `<details><summary>a</summary>\n\n${fenced('diff', text, { lines: 20, columns: 200 })}\n\n</details>\n\nend`,
    ],
    ['summary', (text) => `<details><summary><code>${html(text)}</code></summary>\n\na\n\n</details>\n\nend`],
  ]
  for (const [name, write] of places) {
    const plain = structureOf(write('word'))
    fc.assert(
      fc.property(anyText, (text) => {
        const written = write(text)
        t.strictSame(structureOf(written), plain, `${name}: ${JSON.stringify(written)}`)
        return OUTSIDE.test(textOutsideCode(written))
      }),
      { numRuns: 400, examples: HOSTILE.map((text) => [text]) },
    )
  }
  t.not(structureOf('- </details>').join(), structureOf('- word').join(), 'a difference is seen')
  t.notMatch(textOutsideCode('- @ada #12'), OUTSIDE)
})

test('no line of a block begins with what GitLab carries out', async (t) => {
  t.match(
    fenced('diff', '/close\n/assign @ada', { lines: 9, columns: 99 }),
    /^```diff\n \/close\n \/assign @ada\n```$/,
  )
})

test('what cannot be seen is written out', async (t) => {
  t.equal(visible('a\u202eb\u0007\u{e0041}ж\ud800'), 'a\\u{202e}b\\u{7}\\u{e0041}ж\\u{d800}')
  t.equal(visible('рус 漢字 🔴 é'), 'рус 漢字 🔴 é')
})

test('sentences keep their words, and the rest is code', async (t) => {
  const cases: readonly (readonly [string, string])[] = [
    [
      'the DNS name acme.example.com is in use by installation acme',
      'the DNS name `acme.example.com` is in use by installation acme',
    ],
    [
      'its pods are replaced (version 11.2.0 → 11.3.0)',
      'its pods are replaced (version `11.2.0` → `11.3.0`)',
    ],
    [
      'least loaded of 2 clusters that fit: 3 of 400 installations',
      'least loaded of 2 clusters that fit: 3 of 400 installations',
    ],
    ['ask @ada about #1 and #2', 'ask `@ada` about `#1` and `#2`'],
    ['ask @ada #1', 'ask `@ada #1`'],
    ['rename it to "a/b.yaml".', 'rename it to "`a/b.yaml`".'],
    ['1. a', '`1`. a'],
  ]
  for (const [from, to] of cases) t.equal(prose(from), to)
  t.equal(code('a`b'), '``a`b``')
  t.equal(code(''), '`(empty)`')
})

test('texts are cut between characters', async (t) => {
  t.equal(shortened('abcdef', 4), 'abc…')
  t.equal(shortened('ab🔴cd', 4), 'ab…')
  t.equal(link('`a`', 'https://fleet.example.com/x(1)'), '[`a`](https://fleet.example.com/x%281%29)')
})
