/** Short names of what can be wrong, by code: of errors, and of problems that only files have. */
import { ERRORS } from '../errors.ts'

/** `docs/errors.md` documents these too. */
export const PROBLEM_TITLES: Readonly<Record<string, string>> = {
  'invalid-yaml': 'A document cannot be read as YAML',
  'not-a-file': 'Something else stands where a file belongs',
  'misspelt-path': 'A document has a name that nothing reads',
  'edited-manifest': 'A rendered file was edited',
}

export function titleOf(code: string): string {
  const errors: Readonly<Record<string, { readonly title: string }>> = ERRORS
  if (Object.hasOwn(errors, code)) return errors[code]?.title ?? code
  return (Object.hasOwn(PROBLEM_TITLES, code) ? PROBLEM_TITLES[code] : undefined) ?? code
}
