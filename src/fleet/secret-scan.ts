/** Finds what looks like a secret in an intent, so that it never enters git. Every pattern is linear. */
import { isDeepStrictEqual } from 'node:util'
import type { ErrorDetail } from './errors.ts'
import type { Intent } from './intents.ts'
import { isSecretEnvName } from './secret-names.ts'

const PATTERNS: readonly (readonly [RegExp, string])[] = [
  [/-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----/, 'a private key'],
  [/\b(?:AKIA|ASIA)[0-9A-Z]{16}\b/, 'an AWS access key'],
  [/\bgh[pousr]_[A-Za-z0-9]{36}/, 'a GitHub token'],
  [/\bgithub_pat_[A-Za-z0-9_]{40}/, 'a GitHub token'],
  [/\bglpat-[A-Za-z0-9_-]{20}/, 'a GitLab token'],
  [/\bxox[abprs]-[A-Za-z0-9-]{10}/, 'a Slack token'],
  [/\beyJ[A-Za-z0-9_-]{10,}\.eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10}/, 'a JSON web token'],
  [/\b[a-z][a-z0-9+]{1,20}:\/\/[^\s:/@]{1,100}:[^\s/@]{1,200}@/i, 'a connection string with a password'],
]

/** No secret that a pattern finds is shorter. */
const SHORTEST = 16
/** Some piece that each of the patterns has; nearly no text has one, so this is all that is looked for in most. */
const HINT = /-----BEGIN|A[KS]IA|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|eyJ|:\/\//

export interface ScanOptions {
  /** Patterns of the fleet's settings, beside the built-in names. */
  readonly extra?: readonly string[]
  /** What the document said before: a value that was in clear before the fleet's patterns grew is not new. */
  readonly before?: Intent | undefined
}

/** Places that hold a secret; the value is never in the text. */
export function findSecrets(
  intent: Intent,
  { extra = [], before }: ScanOptions = {},
): readonly ErrorDetail[] {
  const found: ErrorDetail[] = []
  walk(intent.spec, '/spec', found)
  if (intent.kind === 'Fleet') return found
  for (const field of ['env', 'priorityEnv'] as const) {
    const known = envOf(before, field)
    for (const [name, value] of Object.entries(envOf(intent, field))) {
      if (!isClear(value)) continue
      const isNew = !isDeepStrictEqual(known[name], value)
      if (!isSecretEnvName(name, isNew ? extra : [])) continue
      found.push({
        pointer: `/spec/${field}/${name}`,
        detail: `${name} holds a secret by its name; put the value into the secret backend and write secret: {key: …}`,
      })
    }
  }
  return found
}

function envOf(intent: Intent | undefined, field: 'env' | 'priorityEnv'): Readonly<Record<string, unknown>> {
  const env: unknown = intent !== undefined && field in intent.spec ? Reflect.get(intent.spec, field) : {}
  return typeof env === 'object' && env !== null ? { ...env } : {}
}

function isClear(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'value' in value && value.value !== ''
}

function walk(value: unknown, pointer: string, found: ErrorDetail[]): void {
  if (typeof value === 'string') {
    if (value.length < SHORTEST || !HINT.test(value)) return
    const what = PATTERNS.find(([pattern]) => pattern.test(value))?.[1]
    if (what !== undefined)
      found.push({
        pointer,
        detail: `this looks like ${what}; put it into the secret backend and refer to its key`,
      })
    return
  }
  if (typeof value !== 'object' || value === null) return
  for (const [key, entry] of Object.entries(value)) {
    // Short texts and numbers hold none, and most values are such.
    if (typeof entry === 'object' || (typeof entry === 'string' && entry.length >= SHORTEST))
      walk(entry, `${pointer}/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`, found)
  }
}
