/** Looks through the syntax tree of a template: a value may reach the output through a quoting helper only. */
import Handlebars from 'handlebars'
import { HELPERS } from './helpers.ts'

export interface LintProblem {
  readonly line: number
  readonly column: number
  readonly detail: string
}

type Node = hbs.AST.Node

/** What is wrong with a template, in order. */
export function lintTemplate(source: string): readonly LintProblem[] {
  const found: LintProblem[] = []
  try {
    walk(Handlebars.parse(source), found)
  } catch (error) {
    const message = error instanceof Error ? (error.message.split('\n')[0] ?? '') : ''
    const line = Number(/line (\d+)/.exec(message)?.[1] ?? 1)
    return [{ line, column: 1, detail: `the template cannot be parsed: ${message}` }]
  }
  return found
}

function walk(program: hbs.AST.Program | undefined, found: LintProblem[]): void {
  for (const statement of program?.body ?? []) visit(statement, found)
}

function visit(statement: hbs.AST.Statement, found: LintProblem[]): void {
  const { line, column } = statement.loc.start
  const add = (detail: string): void => void found.push({ line, column: column + 1, detail })
  switch (statement.type) {
    case 'ContentStatement':
    case 'CommentStatement':
      return
    case 'MustacheStatement': {
      // The type of the node says which statement it is.
      const mustache = statement as hbs.AST.MustacheStatement
      const name = nameOf(mustache.path)
      if ((name !== 'yaml' && name !== 'block') || mustache.params.length !== 1)
        add(`{{${name}}} puts a raw value out; write {{yaml …}} or {{block … indent=n}}`)
      else if (!mustache.escaped) add('{{{ and {{& put raw values out; write {{')
      if (mustache.params.some(({ type }) => type === 'SubExpression'))
        add('a template computes nothing; put the value into the view')
      return
    }
    case 'BlockStatement': {
      const block = statement as hbs.AST.BlockStatement
      const name = nameOf(block.path)
      if (!HELPERS.some((known) => known === name) || name === 'yaml' || name === 'block')
        add(`{{#${name}}} is not known; known are #if, #unless and #each`)
      walk(block.program, found)
      walk(block.inverse, found)
      return
    }
    default:
      add(`${statement.type} is not allowed; a template has values, #if, #unless and #each`)
  }
}

function nameOf(path: Node): string {
  return path.type === 'PathExpression' ? (path as hbs.AST.PathExpression).original : path.type
}
