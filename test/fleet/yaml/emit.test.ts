import fc from 'fast-check'
import { CORE_SCHEMA, load, YAML11_SCHEMA } from 'js-yaml'
import { test } from 'tap'
import { parse } from 'yaml'
import { emitBlock, emitDocument, emitScalar } from '../../../src/fleet/yaml/emit.ts'

const json = fc.jsonValue({ maxDepth: 5 }).filter((value) => !JSON.stringify(value).includes('__proto__'))

test('every parser reads back what was emitted', async (t) => {
  const parsers = [
    (text: string) => parse(text, { version: '1.2' }),
    (text: string) => parse(text, { version: '1.1', merge: false }),
    (text: string) => load(text, { schema: CORE_SCHEMA }),
    (text: string) => load(text, { schema: YAML11_SCHEMA }),
  ]
  fc.assert(
    fc.property(json, (value) => {
      const text = emitDocument(value)
      const plain = JSON.parse(JSON.stringify(value))
      for (const read of parsers)
        if (JSON.stringify(sorted(read(text))) !== JSON.stringify(sorted(plain))) return false
      return true
    }),
    { numRuns: 500 },
  )
  t.pass('500 random documents')
})

test('words that some parser reads as something else are quoted', async (t) => {
  for (const text of [
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
    '12:30',
    '2026-11-23',
    '',
    ' a',
    'a ',
    'a: b',
    'a #b',
    '- a',
    '*a',
    '&a',
    '!a',
    '%a',
    '@a',
    '`a',
    'a:',
    '.inf',
    '=',
    '<<',
  ])
    t.match(emitScalar(text), /^"/, text)
  for (const text of [
    'acme',
    'acme.example.com',
    'https://example.com/a',
    'db.t4g.medium',
    '/mnt/data',
    'hello world',
  ])
    t.equal(emitScalar(text), text)
})

test('a block can be put at an indentation', async (t) => {
  t.equal(emitBlock({ a: [1, { b: [] }] }, 2), '  a:\n    - 1\n    - b: []')
  t.equal(emitBlock({}, 2), '  {}')
})

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted)
  if (typeof value !== 'object' || value === null) return value
  return Object.entries(value)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, entry]) => [key, sorted(entry)])
}
