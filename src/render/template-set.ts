/** Template sets: versioned folders of Handlebars templates, compiled once. */
import Handlebars from 'handlebars'
import { FleetError } from '../fleet/errors.ts'
import { blockHelper, HELPERS, yamlHelper } from './helpers.ts'
import { lintTemplate } from './lint.ts'

export interface TemplateSet {
  readonly name: string
  /** @param template its path in the set without `.hbs` @throws FleetError `invalid-template` */
  render(template: string, view: object): string
}

export type TemplateSets = ReadonlyMap<string, TemplateSet>

/**
 * @param sources texts by path in the set, for example `installation/namespace.hbs`
 * @throws FleetError `invalid-template` with file, line and column of everything the linter refuses
 */
export function compileTemplateSet(name: string, sources: Readonly<Record<string, string>>): TemplateSet {
  const handlebars = Handlebars.create()
  handlebars.registerHelper('yaml', yamlHelper)
  handlebars.registerHelper('block', blockHelper)
  const knownHelpers = Object.fromEntries(HELPERS.map((helper) => [helper, true]))
  const problems: string[] = []
  const compiled = new Map<string, Handlebars.TemplateDelegate>()
  for (const [path, source] of Object.entries(sources)) {
    for (const { line, column, detail } of lintTemplate(source))
      problems.push(`templates/${name}/${path}:${line}:${column}: ${detail}`)
    compiled.set(
      path.replace(/\.hbs$/, ''),
      handlebars.compile(source, { strict: true, knownHelpersOnly: true, knownHelpers, noEscape: true }),
    )
  }
  if (problems.length > 0) throw new FleetError('invalid-template', problems.join('\n'))
  return {
    name,
    render(template, view) {
      const run = compiled.get(template)
      if (run === undefined)
        throw new FleetError('invalid-template', `Template set ${name} has no template ${template}.`)
      try {
        return run(view, { allowProtoPropertiesByDefault: false, allowProtoMethodsByDefault: false })
      } catch (cause) {
        const message = cause instanceof Error ? cause.message : String(cause)
        throw new FleetError(
          'invalid-template',
          `templates/${name}/${template}.hbs: ${message}`,
          {},
          { cause },
        )
      }
    },
  }
}
