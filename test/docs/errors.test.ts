import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ERRORS } from '../../src/fleet/errors.ts'
import { FILE_PROBLEMS, SHARED_ADVICE } from '../../src/fleet/review/problem-kinds.ts'

const text = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')

test('docs/errors.md has every code with its status and title, and no other', async (t) => {
  const rows = [...text.matchAll(/^\| <a id="[^"]+"><\/a>`([^`]+)` \| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  const documented = Object.fromEntries(
    rows.map(([, code, status, title]) => [code, { status: Number(status), title: title?.trim() }]),
  )
  t.same(documented, ERRORS)
  for (const [, code, , , help] of rows) t.notMatch(help, /^(MISSING)?\s*$/, code ?? '')
})

test('docs/errors.md says of problems what checks say', async (t) => {
  const rows = [...text.matchAll(/^\| <a id="[^"]+"><\/a>`([^`]+)` \| ([^|\d][^|]*) \| ([^|]+) \|$/gm)]
  const documented = Object.fromEntries(
    rows.map(([, code, title, advice]) => [code, { title: title?.trim(), advice: advice?.trim() }]),
  )
  t.same(documented, FILE_PROBLEMS)
  for (const [code, advice] of Object.entries(SHARED_ADVICE)) {
    t.ok(Object.hasOwn(ERRORS, code), code)
    t.match(text, `\`${code}\` | ${Object.entries(ERRORS).find(([name]) => name === code)?.[1].status} |`)
    t.ok(text.includes(` | ${advice} |`), advice)
  }
})
