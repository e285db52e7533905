/** Reads template sets from a folder: one folder a set. */
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compileTemplateSet, type TemplateSets } from '../render/template-set.ts'

/** The project's own sets. */
export const TEMPLATE_FOLDER = join(import.meta.dirname, '../../templates')

/** @throws FleetError `invalid-template` */
export async function readTemplateSets(folder: string): Promise<TemplateSets> {
  const names = (await readdir(folder, { withFileTypes: true }))
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name)
  return new Map(
    await Promise.all(
      names.map(
        async (name) => [name, compileTemplateSet(name, await readSources(join(folder, name)))] as const,
      ),
    ),
  )
}

async function readSources(folder: string): Promise<Readonly<Record<string, string>>> {
  const files = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith('.hbs'))
  return Object.fromEntries(
    await Promise.all(files.map(async (name) => [name, await readFile(join(folder, name), 'utf8')] as const)),
  )
}
