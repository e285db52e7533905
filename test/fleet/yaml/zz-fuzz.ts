import { isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { CORE_SCHEMA, load, YAML11_SCHEMA } from 'js-yaml'
import { parse } from 'yaml'
import { emitDocument } from '../../../src/fleet/yaml/emit.ts'

const nasty = fc.constantFrom(
  'yes',
  'No',
  'on',
  'y',
  'null',
  '~',
  '1',
  '1.5',
  '1e3',
  '0x1f',
  '0o7',
  '017',
  '12:30',
  '190:20:30',
  '1_000',
  '2026-11-23',
  '2001-12-14t21:59:43.10-05:00',
  '',
  ' ',
  ' a',
  'a ',
  'a: b',
  'a #b',
  '- a',
  '-',
  '?',
  '? a',
  '*a',
  '&a',
  '!a',
  '%a',
  '@a',
  '`a',
  'a:',
  '.inf',
  '-.inf',
  '.nan',
  '.NaN',
  '=',
  '<<',
  '---',
  '...',
  '--- a',
  'a\nb',
  'a\r\nb',
  '\t',
  'a\tb',
  '\u0000',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ufeffa',
  '\ud83d\ude00',
  '__proto__',
  '"',
  "'",
  'a"b',
  '\\',
  '[',
  ']',
  '{}',
  '{a',
  'a,b',
  '# c',
  '|',
  '>',
  'true',
  'False',
  'TRUE',
  'Null',
  'NULL',
  '+1',
  '-1',
  '-0',
  '0',
  '1.',
  '.5',
  '1e',
  'e1',
  '0b11',
  '012345678901',
  '1234567e8',
  'A',
  'n',
  'N',
  'a b: c',
  'http://x:80/',
  'a:b',
  'key with spaces',
  'x'.repeat(200),
  'ä',
  '日本',
  'a  b',
  'a \nb',
  '\n',
  '\n\n',
  'a\n',
  '\x7f',
  '\x1b[0m',
  '\ud800',
)
const str = fc.oneof(
  nasty,
  fc.string({ unit: 'binary', maxLength: 12 }),
  fc.string(),
  fc.tuple(nasty, nasty).map(([a, b]) => a + b),
)
const num = fc.oneof(fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.maxSafeInteger())
const { v } = fc.letrec((t) => ({
  v: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    str,
    num,
    fc.boolean(),
    fc.constant(null),
    fc.array(t('v'), { maxLength: 4 }),
    fc.dictionary(str, t('v'), { maxKeys: 4 }),
  ),
}))
const parsers = {
  y12: (s: string) => parse(s, { version: '1.2' }),
  y11: (s: string) => parse(s, { version: '1.1', merge: false }),
  j: (s: string) => load(s, { schema: CORE_SCHEMA }),
  j11: (s: string) => load(s, { schema: YAML11_SCHEMA }),
}
const norm = (x: unknown): unknown => JSON.parse(JSON.stringify(x))
fc.assert(
  fc.property(
    v.filter((x) => !JSON.stringify(x).includes('__proto__')),
    (value) => {
      const want = norm(value)
      const text = emitDocument(value)
      for (const [n, p] of Object.entries(parsers)) {
        let got
        try {
          got = p(text)
        } catch (e) {
          throw new Error(n + ': ' + (e as Error).message + '\n' + JSON.stringify(text))
        }
        if (!isDeepStrictEqual(norm(got), want))
          throw new Error(n + ' ' + JSON.stringify(text) + ' -> ' + JSON.stringify(got))
      }
    },
  ),
  { numRuns: Number(process.argv[2] ?? 20000) },
)
console.log('ok')
