import fc from 'fast-check'
import { test } from 'tap'
import { parseBulkYaml } from '../../../src/fleet/yaml/bulk.ts'
import { editYaml } from '../../../src/fleet/yaml/edit.ts'
import { emitDocument } from '../../../src/fleet/yaml/emit.ts'
import { parseYaml, SIZE_LIMIT } from '../../../src/fleet/yaml/parse.ts'

test('what YAML allows and documents do not is refused with its place', async (t) => {
  const deep = `a: ${'['.repeat(60)}${']'.repeat(60)}\n`
  const table: readonly (readonly [string, string, RegExp])[] = [
    ['a key that is given twice', 'a: 1\nb: 2\na: 3\n', /^3:1: this key is given twice; keep one/],
    ['a key that is given twice in a flow map', 'x: {a: 1, a: 2}\n', /^1:11: this key is given twice/],
    ['a tag', 'a: !!str 1\n', /^1:10: tags are not allowed; write the plain value/],
    ['an unknown tag', 'a: !secret x\n', /^1:4: tags are not allowed/],
    ['an anchor', 'a: &x 1\n', /^1:7: anchors are not allowed/],
    ['an alias', 'a: *x\n', /^1:4: aliases are not allowed/],
    ['a merge key', '<<: {b: 1}\n', /^1:1: merge keys are not allowed; write the values out/],
    ['several documents', 'a: 1\n---\nb: 2\n', /^2:1: the file holds several documents; write one/],
    ['a key that is a number', 'a: 1\n2: b\n', /^2:1: a key must be text; put it in quotes/],
    ['a key that is true', 'true: b\n', /^1:1: a key must be text/],
    ['a key that is nothing', '? \n: b\n', /^\d:\d: a key must be text/],
    ['a key that is a list', '? [a]\n: b\n', /^1:\d: a key must be text/],
    ['the prototype', '__proto__: {a: 1}\n', /^1:1: __proto__ is not allowed/],
    ['a tab as indentation', 'a:\n\tb: 1\n', /^2:1: a tab indents this line; indent with spaces/],
    ['deep nesting', deep, /this nests deeper than 40 levels; make it flatter/],
    ['very deep nesting', '- '.repeat(15_000), /this nests deeper than 40 levels/],
    ['very deep nesting in a large file', '['.repeat(200_000), /this nests deeper than 40 levels/],
    ['what is no number in JSON', 'a: .inf\n', /^1:4: this is not a number that JSON has/],
    [
      'a control character',
      'a: 1\nb: x\u0007y\n',
      /^2:5: the control character U\+0007 stands here; remove it/,
    ],
    ['NUL, as UTF-16 has it', 'a\u0000:\u0000', /^1:2: the control character U\+0000/],
    ['a carriage return alone', 'a: 1\rb: 2\n', /^1:5: the control character U\+000D/],
    [
      'a byte order mark',
      '\ufeffa: 1\n',
      /^1:1: the file begins with a byte order mark; save it as UTF-8 without/,
    ],
    ['what is not UTF-8', 'a: 1\nb: \ufffd\n', /^2:4: the file is not valid UTF-8; save it as UTF-8/],
    [
      'a large file',
      `a: ${'x'.repeat(SIZE_LIMIT)}\n`,
      /^0:0: the file has \d+ characters; 262144 are the most/,
    ],
    ['broken syntax', 'a: b: c\n', /^1:4: this is not valid YAML: .*; correct the syntax/],
    [
      'broken syntax in a large file',
      `${'# x\n'.repeat(20_000)}a: [1\n`,
      /^2000\d:\d+: this is not valid YAML/,
    ],
  ]
  for (const [what, text, wanted] of table) {
    const { value, problems } = parseYaml('f.yaml', text)
    t.equal(value, undefined, what)
    const [first] = problems
    t.match(`${first?.line}:${first?.column}: ${first?.detail}`, wanted, what)
    for (const { path, code } of problems) t.same([path, code], ['f.yaml', 'invalid-yaml'])
    t.equal(parseBulkYaml(text), undefined, `${what}: the fast way leaves it to the strict one`)
  }
})

test('an anchor bomb costs what its text costs', async (t) => {
  const lines = Array.from({ length: 60 }, (_, at) => `a${at + 1}: &a${at + 1} [*a${at}, *a${at}]`)
  const { problems } = parseYaml('bomb.yaml', ['a0: &a0 [x, x]', ...lines].join('\n'))
  t.match(problems[0]?.detail, /anchors are not allowed/)
  t.equal(problems.length, 21, 'twenty are told, and how many more there are')
  t.match(problems.at(-1)?.detail, /more problems follow; correct these first/)
})

const NASTY = [
  'yes',
  'No',
  'on',
  'OFF',
  'y',
  'N',
  '~',
  'null',
  'Null',
  'true',
  'FALSE',
  '=',
  '<<',
  '-',
  '--',
  '---',
  '...',
  '?',
  ':',
  '1e3',
  '1E+2',
  '-1',
  '+1',
  '0x1F',
  '0o17',
  '0b1',
  '017',
  '1_000',
  '.5',
  '5.',
  '.inf',
  '-.INF',
  '.nan',
  '12:30:45',
  '190:20:30',
  '2026-11-23',
  '2026-11-23T09:00:00Z',
  '2001-12-14 21:59:43.10 -5',
  '',
  ' ',
  '  x',
  'x  ',
  '\tx',
  'x\t',
  'a\nb',
  'a\n',
  '\n',
  '\n\na',
  ' a\n b',
  'a: b',
  'a:',
  ': a',
  'a #b',
  '#a',
  '- a',
  '* a',
  '&a',
  '!a',
  '%a',
  '@a',
  '`a',
  '|',
  '>',
  "'",
  '"',
  "it's",
  '\\n',
  '{{ .x }}',
  '[a',
  ']',
  '{',
  '}',
  ',',
  'é',
  '日本語',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\ufffd',
  '\u0000',
  '\u001b[0m',
  '\u007f',
  '\ud800',
  '😀',
  '__proto_',
  'constructor',
  'x'.repeat(2_000),
  'a '.repeat(600),
  '0',
  '-0',
  '00',
  '1.0',
  'e1',
  'E5',
  '0e0',
  '1e400',
] as const

const text = fc.oneof(
  fc.constantFrom(...NASTY),
  fc.string({ unit: 'binary', maxLength: 20 }),
  fc.string({ maxLength: 20 }),
)
const key = fc
  .oneof(fc.constantFrom(...NASTY), fc.string({ maxLength: 12 }))
  .filter((name) => name !== '__proto__' && name.length < 1_000 && name !== '<<')
const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((n) => (n === 0 ? 0 : n)),
)
const leaf = fc.oneof(text, number, fc.boolean(), fc.constant(null))
const value = fc.letrec((tie) => ({
  any: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    leaf,
    fc.array(tie('any'), { maxLength: 4 }),
    fc.dictionary(key, tie('any'), { maxKeys: 4, noNullPrototype: true }),
  ),
})).any
const object = fc.dictionary(key, value, { minKeys: 1, maxKeys: 5, noNullPrototype: true })

test('what is written is read back as it was, by the strict parser and the fast one', async (t) => {
  const examples = NASTY.filter((nasty) => nasty.length < 1_000 && nasty !== '<<')
  fc.assert(
    fc.property(object, (wanted) => {
      const written = emitDocument(wanted)
      const strict = parseYaml('f.yaml', written)
      if (strict.problems.length > 0) throw new Error(JSON.stringify([written, strict.problems[0]]))
      const fast = parseBulkYaml(written)
      return same(strict.value, wanted) && (fast === undefined || same(fast, wanted))
    }),
    {
      numRuns: 600,
      examples: examples.map((nasty): [Record<string, string>] => [{ [nasty]: nasty }]),
    },
  )
  t.pass('600 random documents, and every nasty text as key and value')
})

/** Pieces that decide something in YAML. */
const PIECES = [
  'a: 1\n',
  'b:\n',
  '  c: x\n',
  '- ',
  '  - y\n',
  '"q"',
  "'s'",
  ': ',
  ':',
  '? ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  ',',
  '#c\n',
  ' #c\n',
  '\n',
  '  ',
  ' ',
  '\t',
  '&x ',
  '*x',
  '!t ',
  '!!int ',
  '%YAML 1.1\n',
  '---\n',
  '...\n',
  '<<: ',
  '|\n',
  '>-\n',
  '~',
  'null',
  'true',
  '1',
  '1:',
  '0x1f',
  '1e3',
  '.inf',
  '1_0',
  '0o7',
  '07',
  'yes',
  '2026-01-01',
  '\r\n',
  '\r',
  '\u0085',
  '\u2028',
  '\ufeff',
  '\\',
  '"\\x41"',
  '"\\u0041"',
  '@',
  '`',
  'é',
  '-',
  '--',
  'k',
  '__proto__: 1\n',
  '+1',
  '.5',
  '5.',
  '~: x\n',
  'true: x\n',
  '{a: 1}: x\n',
  '[a]: x\n',
  '""',
  ': x\n',
  '- - -',
  '!',
  '&',
  '*',
  '%',
]

test('both parsers have the same verdict and the same value for whatever text', async (t) => {
  let read = 0
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...PIECES), { maxLength: 14 }), (pieces) => {
      const written = pieces.join('')
      const fast = parseBulkYaml(written)
      if (fast === undefined) return true
      read += 1
      const strict = parseYaml('f.yaml', written)
      if (strict.problems.length > 0) throw new Error(JSON.stringify([written, fast, strict.problems[0]]))
      return same(strict.value, fast)
    }),
    { numRuns: 6_000 },
  )
  t.ok(read > 400, `${read} of 4000 random texts were read the fast way`)
})

test('an edit says what it shall, and keeps the comments of what stays', async (t) => {
  fc.assert(
    fc.property(object, object, fc.array(fc.nat(), { maxLength: 3 }), (before, after, spots) => {
      const lines = emitDocument(before).split('\n')
      for (const spot of spots) {
        // Between entries of the top level a comment is nobody's value.
        const tops = lines.flatMap((line, at) => (/^["A-Za-z_/]/.test(line) ? [at] : []))
        const at = tops[spot % Math.max(1, tops.length)]
        if (at !== undefined) lines.splice(at, 0, '# kept')
      }
      const commented = lines.join('\n')
      const edited = editYaml(commented, before, after)
      const read = parseYaml('f.yaml', edited)
      if (read.problems.length > 0) throw new Error(JSON.stringify([edited, read.problems[0]]))
      return same(read.value, after) && (!same(before, after) || count(edited) === count(commented))
    }),
    { numRuns: 300 },
  )
  const commented = '# top\na: 1 # one\n# above b\nb:\n  # inside\n  - x # ex\n  - y\nc: 3\n# end\n'
  const edited = editYaml(commented, { a: 1, b: ['x', 'y'], c: 3 }, { a: 2, b: ['x', 'z', 'y'], d: 4 })
  t.equal(edited, '# top\na: 2 # one\n# above b\nb:\n  # inside\n  - x # ex\n  - z\n  - y\nd: 4\n\n# end\n')
})

test('hostile texts take no longer than honest ones of their size', async (t) => {
  const size = 200_000
  const fill = (piece: string): string => piece.repeat(Math.floor(size / piece.length))
  const honest = `a:\n${Array.from({ length: size / 12 }, (_, at) => `  k${at}: value\n`).join('')}`
  const hostile: Readonly<Record<string, string>> = {
    brackets: fill('['),
    maps: fill('{a: '),
    lists: fill('- '),
    questions: fill('? '),
    quotes: fill('"'),
    spaces: fill(' '),
    newlines: fill('\n'),
    comments: fill('#\n'),
    tags: fill('!'),
    colons: fill(': '),
    directives: fill('%A\n'),
    blocks: `a: |\n${fill(' \n')}`,
    commas: `[${fill(',')}`,
    closers: fill('}\n'),
    repeated: fill('a:\n'),
    merges: fill('<<: {a: 1}\n'),
    keys: fill('? - a\n: b\n'),
    tabs: fill('\ta\n'),
    trailing: fill("a: 'b' c\n"),
    anchors: Array.from({ length: 12_000 }, (_, at) => `- &a${at} x\n`).join(''),
    aliases: `- &a x\n${fill('- *a\n')}`,
  }
  const reference = timeOf(honest)
  for (const [name, hostileText] of Object.entries(hostile)) {
    const taken = timeOf(hostileText)
    t.ok(taken < reference * 12, `${name}: ${(taken / reference).toFixed(1)} times an honest text`)
  }
})

/** The best of three, in milliseconds. */
function timeOf(written: string): number {
  return Math.min(
    ...[0, 1, 2].map(() => {
      const started = performance.now()
      parseBulkYaml(written)
      parseYaml('f.yaml', written)
      return performance.now() - started
    }),
  )
}

function same(a: unknown, b: unknown): boolean {
  return JSON.stringify(sorted(a)) === JSON.stringify(sorted(b))
}

function sorted(found: unknown): unknown {
  if (Array.isArray(found)) return found.map(sorted)
  if (typeof found !== 'object' || found === null) return found
  return Object.entries(found)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, entry]) => [name, sorted(entry)])
}

function count(written: string): number {
  return written.split('# kept').length
}

test('a line that is broken is told of once, with the first thing that is wrong', async (t) => {
  const { problems } = parseYaml('fleet.yaml', 'spec:\n  owner: [\n  group: canary\n  groupSequence: 0\n')
  t.same(
    problems.map(({ line }) => line),
    [...new Set(problems.map(({ line }) => line))],
  )
  t.match(problems[0], { line: 3, code: 'invalid-yaml' })
})
