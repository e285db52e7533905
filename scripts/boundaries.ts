/**
 * What each folder of src may import: the table of docs/architecture.md, checked. Ends with status 1 and one line for each
 * import that is not allowed. Argument: the folder to check (default `src`).
 */
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { ALLOWED } from './allowed-imports.ts'

/** Doors to the world, which the pure core does not have. */
const DOORS =
  /^(?:node:)?(?:fs|fs\/promises|net|http|https|http2|child_process|crypto|os|dns|timers|timers\/promises|worker_threads|dgram|tls|process)$/
const PURE = new Set(['fleet', 'render'])

const IMPORT =
  /(?:^|\n)\s*(import|export)\s+(type\s+)?(?:[^'"`;]*?\sfrom\s+)?'([^']+)'|\bimport\('([^']+)'\)/g

interface Import {
  readonly from: string
  readonly to: string
  readonly typeOnly: boolean
}

function importsOf(root: string, file: string): readonly Import[] {
  const text = readFileSync(join(root, file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, '')
  return [...text.matchAll(IMPORT)].flatMap((match) => {
    const target = match[3] ?? match[4]
    if (target === undefined) return []
    const to = target.startsWith('.') ? relative(root, join(root, dirname(file), target)) : target
    return [{ from: file, to, typeOnly: match[2] !== undefined }]
  })
}

function forbidden({ from, to }: Import): string | undefined {
  const folder = folderOf(from)
  if (PURE.has(folder) && DOORS.test(to))
    return `${from} imports ${to}; the pure core does no input or output`
  if (to.startsWith('..') || !to.includes('/') || !to.endsWith('.ts')) return undefined
  const allowed = ALLOWED[folder]
  const target = folderOf(to)
  if (allowed === undefined || target === folder || allowed.includes(target)) return undefined
  return `${from} imports ${to}; ${folder} may import ${[folder, ...allowed].join(', ')}`
}

function folderOf(file: string): string {
  return file.includes('/') ? (file.split('/')[0] ?? '') : ''
}

/** Files that import each other when the program runs (types do not count). */
function circles(imports: readonly Import[]): readonly string[] {
  const next = new Map<string, string[]>()
  for (const { from, to, typeOnly } of imports) if (!typeOnly) next.set(from, [...(next.get(from) ?? []), to])
  const done = new Set<string>()
  const found: string[] = []
  function visit(file: string, path: readonly string[]): void {
    if (path.includes(file)) {
      found.push(`${[...path.slice(path.indexOf(file)), file].join(' -> ')} is a circle`)
      return
    }
    if (done.has(file)) return
    for (const target of next.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of next.keys()) visit(file, [])
  return found
}

const root = process.argv[2] ?? 'src'
const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'))
const imports = files.flatMap((file) => importsOf(root, file))
const problems = [...imports.flatMap((found) => forbidden(found) ?? []), ...circles(imports)]
if (imports.length === 0) problems.push(`${root} has no imports; is it the right folder?`)
for (const problem of problems) process.stdout.write(`${problem}\n`)
process.stdout.write(`${files.length} files, ${imports.length} imports, ${problems.length} not allowed\n`)
process.exitCode = problems.length === 0 ? 0 : 1
