/** The template sets of the project. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compileTemplateSet, type TemplateSets } from '../../src/render/template-set.ts'

const FOLDER = join(import.meta.dirname, '../../templates')

export function templateSets(): TemplateSets {
  const names = readdirSync(FOLDER)
  return new Map(names.map((name) => [name, compileTemplateSet(name, sourcesOf(join(FOLDER, name)))]))
}

function sourcesOf(folder: string): Readonly<Record<string, string>> {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.hbs'),
  )
  return Object.fromEntries(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]))
}
