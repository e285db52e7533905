/** Changed files of a fleet, told by the objects they are about: an installation, a cluster, a group. */
import { isDeepStrictEqual } from 'node:util'
import type { JsonValue } from '../intents.ts'
import { roleOf } from '../paths.ts'
import { parseYaml } from '../yaml/parse.ts'
import { changedFiles } from './changed-files.ts'
import type { FieldDifference, ObjectDifference } from './plan.ts'
import { unifiedDiff } from './unified-diff.ts'

export interface FileDifference {
  readonly path: string
  readonly before: string | undefined
  readonly after: string | undefined
}

const ORDER: readonly ObjectDifference['kind'][] = [
  'fleet',
  'cluster',
  'group',
  'database',
  'installation',
  'request',
  'other',
]

/** @param nameOf what the installation with an id is called, for changes that do not touch its document */
export function objectDifferences(
  files: readonly FileDifference[],
  nameOf: (id: string) => string | undefined,
): readonly ObjectDifference[] {
  const groups = Map.groupBy(files, (file) => keyOf(file.path))
  return [...groups.values()]
    .map((inside) => describe(inside, nameOf))
    .sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || (a.name < b.name ? -1 : 1))
}

interface Subject {
  readonly kind: ObjectDifference['kind']
  readonly name: string
  readonly cluster?: string
}

function subjectOf(path: string): Subject {
  const role = roleOf(path)
  if (role.role === 'other') return { kind: 'other', name: path }
  const cluster = role.cluster === undefined ? {} : { cluster: role.cluster }
  if (role.role === 'rendered') {
    if (role.id !== undefined) return { kind: 'installation', name: role.id, ...cluster }
    return role.cluster === undefined
      ? { kind: 'fleet', name: 'settings' }
      : { kind: 'cluster', name: role.cluster }
  }
  const name = role.name ?? path
  switch (role.kind) {
    case 'Fleet':
      return { kind: 'fleet', name: 'settings' }
    case 'Cluster':
      return { kind: 'cluster', name }
    case 'Group':
      return { kind: 'group', name }
    case 'SharedDatabase':
      return { kind: 'database', name }
    case 'InstallationRequest':
      return { kind: 'request', name }
    default:
      return { kind: 'installation', name, ...cluster }
  }
}

function keyOf(path: string): string {
  const { kind, name } = subjectOf(path)
  return `${kind} ${name}`
}

function describe(
  inside: readonly FileDifference[],
  nameOf: (id: string) => string | undefined,
): ObjectDifference {
  const [first] = inside
  const subject = subjectOf(first?.path ?? '')
  const documents = inside.filter(({ path }) => roleOf(path).role === 'intent')
  const before = parsed(documents.find((file) => file.before !== undefined)?.before)
  const after = parsed(documents.find((file) => file.after !== undefined)?.after)
  const diff = inside.map(({ path, before: old, after: now }) => unifiedDiff(path, old, now)).join('')
  const isInstallation = subject.kind === 'installation'
  const name = isInstallation
    ? (namedIn(after ?? before) ?? nameOf(subject.name) ?? subject.name)
    : subject.name
  const added = inside.every((file) => file.before === undefined)
  const removed = inside.every((file) => file.after === undefined)
  return {
    ...subject,
    name,
    ...(isInstallation ? { id: subject.name } : {}),
    change: added ? 'added' : removed ? 'removed' : 'changed',
    fields: before === undefined || after === undefined ? [] : fieldDifferences('', before, after),
    files: changedFiles(diff),
    diff,
  }
}

function parsed(text: string | undefined): JsonValue | undefined {
  return text === undefined ? undefined : parseYaml('', text).value
}

function namedIn(value: JsonValue | undefined): string | undefined {
  const metadata = isObject(value) ? value.metadata : undefined
  const name = isObject(metadata) ? metadata.name : undefined
  return typeof name === 'string' ? name : undefined
}

/** Objects are gone into; lists are compared whole when they hold plain values, entry by entry otherwise. */
function fieldDifferences(at: string, before: JsonValue, after: JsonValue): readonly FieldDifference[] {
  if (isDeepStrictEqual(before, after)) return []
  const old = childrenOf(before)
  const now = childrenOf(after)
  if (old === undefined || now === undefined) return [{ field: at, before, after }]
  return [...new Set([...old.keys(), ...now.keys()])].flatMap((key) => {
    const field = at === '' ? key : `${at}.${key}`
    const [was, is] = [old.get(key), now.get(key)]
    if (was === undefined) return is === undefined ? [] : [{ field, after: is }]
    return is === undefined ? [{ field, before: was }] : fieldDifferences(field, was, is)
  })
}

function childrenOf(value: JsonValue): ReadonlyMap<string, JsonValue> | undefined {
  if (isObject(value)) return new Map(Object.entries(value))
  if (!Array.isArray(value) || !value.every((entry) => typeof entry === 'object' && entry !== null))
    return undefined
  return new Map(value.map((entry: JsonValue, index) => [String(index), entry]))
}

function isObject(value: JsonValue | undefined): value is { readonly [key: string]: JsonValue } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
