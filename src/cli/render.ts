/** `fleetwright render [dir] [--check]`: writes the manifests of a checkout, or says which are not what the intents say. */
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { roleOf } from '../fleet/paths.ts'
import { renderFleet } from '../render/render.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../system/template-files.ts'
import { readCheckout } from './checkout.ts'

export interface RenderOptions {
  readonly folder: string
  readonly check: boolean
  readonly json: boolean
}

/** @returns the exit code: 0 nothing to do or written, 1 differences or problems */
export async function render({ folder, check, json }: RenderOptions): Promise<number> {
  const checkout = await readCheckout(folder)
  const sets = await readTemplateSets(TEMPLATE_FOLDER)
  const different: string[] = []
  const wanted = new Set<string>()
  for (const { path, text } of renderFleet(sets, checkout.fleet)) {
    wanted.add(path)
    const present = await readFile(join(folder, path), 'utf8').catch(missing)
    if (present === text || text === undefined) continue
    different.push(path)
    if (check) continue
    await mkdir(dirname(join(folder, path)), { recursive: true })
    await writeFile(join(folder, path), text)
  }
  const extra = checkout.rendered.filter((path) => roleOf(path).role === 'rendered' && !wanted.has(path))
  report({ different, extra, check, json, problems: checkout.problems.length })
  const clean = extra.length === 0 && checkout.problems.length === 0 && (!check || different.length === 0)
  return clean ? 0 : 1
}

function missing(error: unknown): undefined {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined
  throw error
}

function report(found: {
  readonly different: readonly string[]
  readonly extra: readonly string[]
  readonly check: boolean
  readonly json: boolean
  readonly problems: number
}): void {
  const { different, extra, check, json, problems } = found
  if (json) {
    process.stdout.write(`${JSON.stringify({ different, extra, problems }, undefined, 2)}\n`)
    return
  }
  for (const path of different) process.stdout.write(`${check ? 'differs' : 'written'}: ${path}\n`)
  for (const path of extra) process.stdout.write(`no intent has this: ${path}\n`)
  if (problems > 0) process.stdout.write(`${problems} problems; run fleetwright validate\n`)
  process.stdout.write(`${different.length} ${check ? 'different' : 'written'}, ${extra.length} extra\n`)
}
