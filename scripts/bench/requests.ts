/** Requests for new installations as a portal sends them, in the mix of kinds that the generated fleets have. */

const KINDS = [
  ['aws-multitenant-rds-postgres-pgbouncer', 'bifrost'],
  ['aws-multitenant-rds-postgres-pgbouncer', 'bifrost'],
  ['cloudnative-pg', 'bifrost'],
  ['aws-multitenant-rds-postgres-pgbouncer', 'aws-multitenant-s3'],
  ['aws-multitenant-rds-postgres-pgbouncer', 'bifrost'],
  ['aws-multitenant-rds-postgres', 'bifrost'],
  ['aws-multitenant-rds-postgres-pgbouncer', 'aws-multitenant-s3'],
  ['aws-rds-postgres', 'aws-s3'],
  ['aws-multitenant-rds-postgres-pgbouncer', 'bifrost'],
  ['aws-multitenant-rds-postgres', 'aws-multitenant-s3'],
] as const

/** Bodies of `POST /api/installations`, each with a name that no other call gives. */
export function createRequestSource(): (count: number) => readonly string[] {
  let made = 0
  return (count) =>
    Array.from({ length: count }, () => {
      const [database, filestore] = KINDS[made % KINDS.length] ?? KINDS[0]
      const name = `bench-${made.toString(36)}`
      made += 1
      return JSON.stringify({
        Name: name,
        OwnerID: `owner-${made}`,
        DNSNames: [`${name}.cloud.example.com`],
        Version: '11.2.0',
        Size: '1000users',
        Affinity: 'multitenant',
        Database: database,
        Filestore: filestore,
        MattermostEnv: { MM_TEAMSETTINGS_MAXUSERSPERTEAM: { value: '500' } },
      })
    })
}
