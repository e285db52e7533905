/** What differs from kind to kind: what the cloud says, and what is in the connection Secret. */
import type { ManagedResource } from '../crossplane.ts'

/** Slow kinds work in the background and say so in conditions of their own. */
export function isAsynchronous({ apiVersion }: ManagedResource): boolean {
  return /^(rds|eks)\.aws\./.test(apiVersion)
}

/** `status.atProvider`. */
export function observationOf({
  apiVersion,
  kind,
  metadata,
  spec,
}: ManagedResource): Readonly<Record<string, unknown>> {
  const { engineVersion, deletionProtection, storageEncrypted } = spec.forProvider ?? {}
  const asAsked = Object.fromEntries(
    Object.entries({ engineVersion, deletionProtection, storageEncrypted }).filter(
      ([, value]) => value !== undefined,
    ),
  )
  // Of RDS only single instances have a status there.
  if (apiVersion.startsWith('rds.') && kind === 'Instance')
    return { id: metadata.name, status: 'available', ...asAsked }
  if (apiVersion.startsWith('rds.')) return { id: metadata.name, ...asAsked }
  if (apiVersion.startsWith('eks.')) return { id: metadata.name, status: 'ACTIVE' }
  if (apiVersion.includes('sql.')) return {}
  return { id: metadata.name }
}

export function connectionOf(
  { apiVersion, kind, metadata }: ManagedResource,
  password: string,
): Readonly<Record<string, string>> {
  const group = apiVersion.split('.')[0]
  const host = `${metadata.name}.stand-in.invalid`
  if (group === 'rds' && kind === 'Cluster')
    return {
      endpoint: host,
      reader_endpoint: `reader.${host}`,
      port: '5432',
      master_username: 'mmcloud',
      'attribute.master_password': password,
    }
  if (group === 'rds')
    return {
      endpoint: `${host}:5432`,
      address: host,
      host,
      port: '5432',
      username: 'mmcloud',
      password,
      'attribute.password': password,
    }
  if (kind === 'AccessKey') return { username: `AKIASTANDIN${metadata.name.slice(0, 8)}`, password }
  if (kind === 'Role') return { username: metadata.name, password, endpoint: host, port: '5432' }
  return { id: metadata.name }
}
