import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { test } from 'tap'

const SCRIPT = join(import.meta.dirname, '../../scripts/boundaries.ts')

function check(files: Readonly<Record<string, string>>): {
  readonly status: number | null
  readonly text: string
} {
  const folder = mkdtempSync(join(tmpdir(), 'fleetwright-'))
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, name)), { recursive: true })
    writeFileSync(join(folder, name), text)
  }
  const { status, stdout } = spawnSync(process.execPath, [SCRIPT, folder], { encoding: 'utf8' })
  rmSync(folder, { recursive: true })
  return { status, text: stdout }
}

test('a forbidden import fails the check', async (t) => {
  const table = [
    [
      { 'fleet/a.ts': "import { b } from '../git/b.ts'\n" },
      'fleet/a.ts imports git/b.ts; fleet may import fleet',
    ],
    [{ 'fleet/a.ts': "import type { B } from '../api/b.ts'\n" }, 'fleet/a.ts imports api/b.ts'],
    [{ 'render/a.ts': "import {\n  b,\n} from 'node:fs'\n" }, 'render/a.ts imports node:fs; the pure core'],
    [
      { 'git/a.ts': "export { b } from '../api/b.ts'\n" },
      'git/a.ts imports api/b.ts; git may import git, fleet, ports',
    ],
    [{ 'store/a.ts': "const b = await import('../git/b.ts')\n" }, 'store/a.ts imports git/b.ts'],
    [
      { 'fleet/a.ts': "import { b } from './b.ts'\n", 'fleet/b.ts': "import { a } from './a.ts'\n" },
      'fleet/a.ts -> fleet/b.ts -> fleet/a.ts is a circle',
    ],
    [{ 'fleet/a.ts': 'export const a = 1\n' }, 'has no imports'],
  ] as const
  for (const [files, wanted] of table) {
    const { status, text } = check(files)
    t.equal(status, 1, wanted)
    t.match(text, wanted)
  }
})

test('an allowed import passes', async (t) => {
  const { status, text } = check({
    'fleet/a.ts': "import type { B } from './b.ts'\n",
    'fleet/b.ts': "import type { A } from './a.ts'\n",
    'git/c.ts': "import { a } from '../fleet/a.ts'\nimport { readFile } from 'node:fs/promises'\n",
  })
  t.equal(status, 0, text)
  t.match(text, '3 files, 4 imports, 0 not allowed')
})
