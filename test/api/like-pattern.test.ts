import fc from 'fast-check'
import { test } from 'tap'
import { likePattern } from '../../src/api/wire/like-pattern.ts'

for (const [pattern, text, matches] of [
  ['acme.example.com', 'acme.example.com', true],
  ['acme.example.com', 'acme.example.org', false],
  ['acme%', 'acme.example.com', true],
  ['%example.com', 'acme.example.com', true],
  ['%example%', 'acme.example.com', true],
  ['acme%com', 'acme.example.com', true],
  ['aab%baa', 'aabaa', false],
  ['%', '', true],
  ['', '', true],
  ['', 'a', false],
  ['a.c%', 'abc', false],
] as const) {
  test(`${JSON.stringify(pattern)} ${matches ? 'is' : 'is not'} ${JSON.stringify(text)}`, async (t) => {
    t.equal(likePattern(pattern)(text), matches)
  })
}

test('as a regular expression says, for all short patterns and texts', async (t) => {
  const piece = (letters: string): fc.Arbitrary<string> =>
    fc.array(fc.constantFrom(...letters), { maxLength: 8 }).map((list) => list.join(''))
  fc.assert(
    fc.property(piece('ab%'), piece('ab'), (pattern, text) => {
      return likePattern(pattern)(text) === new RegExp(`^${pattern.replaceAll('%', '.*')}$`).test(text)
    }),
    { numRuns: 3_000 },
  )
  t.pass()
})

test('no pattern takes long', async (t) => {
  const pattern = '%a'.repeat(120)
  t.notOk(likePattern(`${pattern}b`)('a'.repeat(253)))
})
