/** An installation, cluster or group by its name or id. */
import { FleetError } from '../fleet/errors.ts'
import type { ApiClient } from './api-client.ts'

export interface FoundObject {
  readonly kind: 'installation' | 'cluster' | 'group'
  readonly id: string
}

/** @throws FleetError `not-found`; `invalid-request` when the name is that of several */
export async function findObject(api: ApiClient, name: string): Promise<FoundObject> {
  const { clusters, groups } = await api.status()
  const isMeant = (object: { readonly id: string; readonly name: string }): boolean =>
    object.id === name || object.name === name
  const found: FoundObject[] = [
    ...(await installationIds(api, name)).map((id) => ({ kind: 'installation' as const, id })),
    ...clusters.filter(isMeant).map(({ id }) => ({ kind: 'cluster' as const, id })),
    ...groups.filter(isMeant).map(({ id }) => ({ kind: 'group' as const, id })),
  ]
  const [first, second] = found
  if (first === undefined)
    throw new FleetError('not-found', `There is no installation, cluster or group ${name}.`)
  if (second === undefined) return first
  const choices = found.map(({ kind, id }) => `${kind} ${id}`).join(', ')
  throw new FleetError('invalid-request', `${name} is the name of several: ${choices}; give the id.`)
}

/** Deleted ones are found by their id. */
async function installationIds(api: ApiClient, name: string): Promise<readonly string[]> {
  const query = new URLSearchParams({ page: '0', per_page: '2', name })
  const { json } = await api.request('GET', `/api/installations?${query}`)
  const listed = (Array.isArray(json) ? json : []) as readonly { readonly ID: string }[]
  if (listed.length > 0 || !/^[a-z0-9]{26}$/.test(name)) return listed.map(({ ID }) => ID)
  const found = await api.lookUp(`/api/installation/${name}`)
  return found === undefined ? [] : [name]
}
