import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { ALLOWED } from '../../scripts/allowed-imports.ts'

const ROOT = join(import.meta.dirname, '../..')

/** The folders of the table, each with what it may import. */
function documented(): Readonly<Record<string, readonly string[]>> {
  const text = readFileSync(join(ROOT, 'docs/architecture.md'), 'utf8')
  const rows = [...text.matchAll(/^\| `src\/([a-z]+)` \| [^|]+ \| ([^|]+) \|$/gm)]
  const folders = rows.map(([, folder]) => folder ?? '')
  return Object.fromEntries(
    rows.map(([, folder = '', list = '']) => {
      if (list === 'nothing') return [folder, []]
      return [folder, list === 'all' ? folders.filter((other) => other !== folder).sort() : list.split(', ')]
    }),
  )
}

test('docs/architecture.md has every folder of src, with the imports that the check allows', async (t) => {
  const allowed = Object.entries(ALLOWED).map(([folder, list]) => [folder, [...list].sort()] as const)
  t.same(documented(), Object.fromEntries(allowed))
  const folders = readdirSync(join(ROOT, 'src'), { withFileTypes: true }).filter((one) => one.isDirectory())
  t.same(Object.keys(documented()).sort(), folders.map(({ name }) => name).sort())
})

test('docs/adr/README.md lists every decision under its number and title', async (t) => {
  const files = readdirSync(join(ROOT, 'docs/adr')).sort()
  const listed = readFileSync(join(ROOT, 'docs/adr/README.md'), 'utf8')
  const links = [...listed.matchAll(/^\| \[(\d+)\]\(([^)]+)\) \| (.+) \|$/gm)]
  t.same(
    links.map(([, , file]) => file),
    files.filter((file) => file !== 'README.md'),
  )
  for (const [, number = '', file = '', title = ''] of links) {
    t.equal(Number(file.slice(0, 4)), Number(number), file)
    t.equal(readFileSync(join(ROOT, 'docs/adr', file), 'utf8').split('\n')[0], `# ${number}. ${title}`, file)
  }
  t.equal(new Set(links.map(([, number]) => number)).size, links.length, 'no number twice')
})
