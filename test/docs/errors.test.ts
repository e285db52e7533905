import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ERRORS } from '../../src/fleet/errors.ts'

test('docs/errors.md has every code with its status and title, and no other', async (t) => {
  const text = readFileSync(join(import.meta.dirname, '../../docs/errors.md'), 'utf8')
  const rows = [...text.matchAll(/^\| <a id="[^"]+"><\/a>`([^`]+)` \| (\d+) \| ([^|]+) \| ([^|]+) \|$/gm)]
  const documented = Object.fromEntries(
    rows.map(([, code, status, title]) => [code, { status: Number(status), title: title?.trim() }]),
  )
  t.same(documented, ERRORS)
  for (const [, code, , , help] of rows) t.notMatch(help, /^(MISSING)?\s*$/, code ?? '')
})
