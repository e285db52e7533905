/** What an answer of a forge must hold, checked field by field where it is read. */
import { FleetError } from '../fleet/errors.ts'
import { isObjectId, type ObjectId } from '../fleet/ids.ts'

/** An object of an answer. Reading a field that is not as documented: @throws FleetError `forge-unavailable` */
export interface Fields {
  text(name: string): string
  number(name: string): number
  boolean(name: string): boolean
  objectId(name: string): ObjectId
  /** Milliseconds since 1970. */
  time(name: string): number
  fields(name: string): Fields
  list(name: string): readonly Fields[]
  /** Without the field, or with null: undefined. */
  readonly optional: {
    text(name: string): string | undefined
    number(name: string): number | undefined
    boolean(name: string): boolean | undefined
    objectId(name: string): ObjectId | undefined
    fields(name: string): Fields | undefined
    list(name: string): readonly Fields[] | undefined
  }
}

/** @param where names the answer in errors, for example `pull request` */
export function fieldsOf(value: unknown, where: string): Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unexpected(where, 'an object')
  const get = (name: string): unknown => (Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined)
  const at = (name: string): string => `${where}, ${name}`
  const isAbsent = (name: string): boolean => get(name) === undefined || get(name) === null
  const required: Omit<Fields, 'optional'> = {
    text: (name) => textOf(get(name), at(name)),
    number: (name) => numberOf(get(name), at(name)),
    boolean: (name) => booleanOf(get(name), at(name)),
    objectId: (name) => objectIdOf(get(name), at(name)),
    time: (name) => timeOf(get(name), at(name)),
    fields: (name) => fieldsOf(get(name), at(name)),
    list: (name) => listOf(get(name), at(name)),
  }
  return {
    ...required,
    optional: {
      text: (name) => (isAbsent(name) ? undefined : required.text(name)),
      number: (name) => (isAbsent(name) ? undefined : required.number(name)),
      boolean: (name) => (isAbsent(name) ? undefined : required.boolean(name)),
      objectId: (name) => (isAbsent(name) ? undefined : required.objectId(name)),
      fields: (name) => (isAbsent(name) ? undefined : required.fields(name)),
      list: (name) => (isAbsent(name) ? undefined : required.list(name)),
    },
  }
}

/** @throws FleetError `forge-unavailable` */
export function listOf(value: unknown, where: string): readonly Fields[] {
  if (!Array.isArray(value)) throw unexpected(where, 'a list')
  return value.map((entry, index) => fieldsOf(entry, `${where} ${index}`))
}

function textOf(value: unknown, where: string): string {
  if (typeof value !== 'string') throw unexpected(where, 'a text')
  return value
}

function numberOf(value: unknown, where: string): number {
  if (typeof value !== 'number' || !Number.isSafeInteger(value)) throw unexpected(where, 'a whole number')
  return value
}

function booleanOf(value: unknown, where: string): boolean {
  if (typeof value !== 'boolean') throw unexpected(where, 'true or false')
  return value
}

function objectIdOf(value: unknown, where: string): ObjectId {
  if (typeof value !== 'string' || !isObjectId(value)) throw unexpected(where, 'the id of a commit')
  return value
}

function timeOf(value: unknown, where: string): number {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN
  if (Number.isNaN(time)) throw unexpected(where, 'a time')
  return time
}

function unexpected(where: string, what: string): FleetError {
  return new FleetError(
    'forge-unavailable',
    `The forge answered something unexpected: ${where} must be ${what}.`,
  )
}
