/** What can be wrong with files, by code: a short name, and what to do. `docs/errors.md` says the same; a test holds both. */
import { ERRORS } from '../errors.ts'

export interface ProblemKind {
  readonly title: string
  readonly advice: string
}

/** Codes that only problems of files have. */
export const FILE_PROBLEMS: Readonly<Record<string, ProblemKind>> = {
  'invalid-yaml': {
    title: 'A document cannot be read as YAML',
    advice: 'Correct the line that is named; one document a file, no aliases, no tags.',
  },
  'not-a-file': {
    title: 'Something else stands where a file belongs',
    advice: 'Commit plain files: no symbolic links, no submodules.',
  },
  'misspelt-path': {
    title: 'A document has a name that nothing reads',
    advice: 'Rename it as the problem says; documents are found by their names, in lower case.',
  },
  'misleading-name': {
    title: 'A name looks like another one, or is not the same everywhere',
    advice: 'Use lower-case letters, digits, dots and hyphens of ASCII.',
  },
  'path-too-long': { title: 'A path is too long', advice: 'Use shorter names.' },
  'too-deep': { title: 'Folders are nested too deep', advice: 'Use fewer folders inside each other.' },
  'too-large': { title: 'A file is too large', advice: 'Keep large files out of the fleet repository.' },
  'too-many-changes': {
    title: 'The change is too large to be checked',
    advice: 'Make several pull requests of it.',
  },
  'too-many-problems': {
    title: 'There are more problems than are looked for',
    advice: 'Correct those that are named first.',
  },
  more: { title: 'There are more problems', advice: 'Correct those that are named first.' },
  'malformed-tree': {
    title: 'A commit holds what git would not write',
    advice: 'Make the commit again with git itself.',
  },
  'malformed-objects': {
    title: 'The commits hold what git would not write',
    advice: 'Make them again with git itself.',
  },
  'unrelated-history': {
    title: 'The branch has nothing in common with main',
    advice: 'Branch off main, and make the change there.',
  },
  'merge-conflict': {
    title: 'Main changed the same lines',
    advice: 'Merge or rebase on main, and settle the conflict.',
  },
  'edited-manifest': {
    title: 'A rendered file was edited',
    advice: 'Change the document instead; `fleetwright render` prints what follows from it.',
  },
  'review-outdated': {
    title: 'It is not what was asked for any more',
    advice: 'Close it and send the request again; its merge would be taken back.',
  },
  'change-policy': {
    title: 'The change policy of the fleet does not allow this',
    advice: 'Ask for what it allows, or somebody whom it allows this; the message names the rule.',
  },
  waits: {
    title: 'No cluster fits now',
    advice: 'It is accepted and placed by itself as soon as one fits.',
  },
  'not-shown': { title: 'Not everything is shown', advice: '`fleetwright plan --patch` shows all.' },
}

/** Codes that problems have in common with errors of the API. */
export const SHARED_ADVICE: Readonly<Record<string, string>> = {
  'invalid-document': 'Correct the document at the line that is named.',
  'invalid-template': 'Correct the template that is named.',
  'secret-in-git': 'Put the value into the secret backend and refer to it.',
  'api-locked': 'Unlock the object first.',
  'deletion-locked': 'Unlock the deletion first.',
  guarded: 'Something still needs the object; the answer says what.',
  'name-taken': 'Choose another name.',
  'dns-taken': 'Choose another DNS name.',
  'not-implemented': 'Nothing was changed.',
}

/** Of a code that is not known, the code itself. */
export function kindOf(code: string): ProblemKind {
  const own = Object.hasOwn(FILE_PROBLEMS, code) ? FILE_PROBLEMS[code] : undefined
  if (own !== undefined) return own
  const errors: Readonly<Record<string, { readonly title: string }>> = ERRORS
  const title = Object.hasOwn(errors, code) ? errors[code]?.title : undefined
  const advice = Object.hasOwn(SHARED_ADVICE, code) ? SHARED_ADVICE[code] : undefined
  return { title: title ?? code, advice: advice ?? 'The message says what is wrong and what would be right.' }
}
