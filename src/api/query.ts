/** Query parameters as the original reads them: Go's strconv decides what a number and a boolean are. */
import { FleetError } from '../fleet/errors.ts'
import type { QueryParameter } from './routes.ts'

export interface Paging {
  readonly page: number
  /** Undefined: all. */
  readonly perPage: number | undefined
  readonly includeDeleted: boolean
}

const TRUE = ['1', 't', 'T', 'TRUE', 'true', 'True']
const FALSE = ['0', 'f', 'F', 'FALSE', 'false', 'False']
const DEFAULT_PER_PAGE = 100

/** For the route table of lists. */
export const PAGING_QUERY: Readonly<Record<string, QueryParameter>> = {
  page: { description: 'Page, from 0', schema: { type: 'integer', minimum: 0, default: 0 } },
  per_page: {
    description: 'Entries a page; -1: all',
    schema: { type: 'integer', minimum: -1, default: DEFAULT_PER_PAGE },
  },
  include_deleted: { description: 'Deleted ones too', schema: { type: 'boolean', default: false } },
}

/** @throws FleetError `invalid-request` */
export function readPaging(query: URLSearchParams): Paging {
  const page = readInteger(query, 'page', 0)
  const perPage = readInteger(query, 'per_page', DEFAULT_PER_PAGE)
  if (page < 0) throw invalid('page', 'must be 0 or more')
  if (perPage < -1) throw invalid('per_page', 'must be 0 or more, or -1 for all')
  return {
    page,
    perPage: perPage === -1 ? undefined : perPage,
    includeDeleted: readBoolean(query, 'include_deleted', false),
  }
}

export function pageOf<Item>(
  items: readonly Item[],
  { page, perPage }: Pick<Paging, 'page' | 'perPage'>,
): readonly Item[] {
  if (perPage === undefined) return items
  return items.slice(page * perPage, (page + 1) * perPage)
}

/** A whole number in decimal that JavaScript holds exactly. @throws FleetError `invalid-request` */
export function readInteger(query: URLSearchParams, name: string, fallback: number): number {
  const text = query.get(name)
  if (text === null || text === '') return fallback
  const number = /^[+-]?\d+$/.test(text) ? Number(text) : Number.NaN
  if (!Number.isSafeInteger(number)) throw invalid(name, 'must be a whole number')
  return number
}

/** @throws FleetError `invalid-request` */
export function readBoolean(query: URLSearchParams, name: string, fallback: boolean): boolean {
  const text = query.get(name)
  if (text === null || text === '') return fallback
  if (TRUE.includes(text)) return true
  if (FALSE.includes(text)) return false
  throw invalid(name, 'must be true or false')
}

function invalid(name: string, detail: string): FleetError {
  return new FleetError('invalid-request', `The query parameter ${name} ${detail}.`, {
    errors: [{ pointer: `/query/${name}`, detail }],
  })
}
