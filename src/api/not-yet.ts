/** What the original can do and this server cannot yet: said so, instead of a success that nothing stands behind. */
import { FleetError } from '../fleet/errors.ts'
import type { Method, Role, Route } from './routes.ts'

type NotYet = readonly [Method, path: string, operationId: string, summary: string]

const NOT_YET: readonly NotYet[] = [
  [
    'GET',
    '/api/cluster_installation/{id}/config',
    'getClusterInstallationConfig',
    'Configuration of the running Mattermost',
  ],
  [
    'PUT',
    '/api/cluster_installation/{id}/config',
    'setClusterInstallationConfig',
    'Change the configuration of the running Mattermost',
  ],
  [
    'POST',
    '/api/cluster_installation/{id}/exec/{command}',
    'execClusterInstallation',
    'Run a command in a pod',
  ],
  [
    'POST',
    '/api/cluster_installation/{id}/mattermost_cli',
    'runMattermostCli',
    'Run the Mattermost command line in a pod',
  ],
  ['GET', '/api/cluster_installation/{id}/pprof', 'getClusterInstallationPprof', 'Profiles of the pods'],
  [
    'POST',
    '/api/cluster_installations/migrate',
    'migrateClusterInstallations',
    'Migrate installations to another cluster',
  ],
  ['POST', '/api/cluster_installations/migrate/dns', 'migrateDns', 'Switch DNS to the target cluster'],
  [
    'DELETE',
    '/api/cluster_installations/migrate/delete_inactive/{clusterId}',
    'deleteInactiveClusterInstallations',
    'Delete the inactive cluster installations of a cluster',
  ],
  [
    'DELETE',
    '/api/cluster_installations/migrate/delete_inactive/cluster_installation/{id}',
    'deleteInactiveClusterInstallation',
    'Delete one inactive cluster installation',
  ],
  [
    'POST',
    '/api/cluster_installations/migrate/switch_cluster_roles',
    'switchClusterRoles',
    'Swap primary and secondary cluster',
  ],
  ['GET', '/api/installations/backups', 'listBackups', 'List backups'],
  ['POST', '/api/installations/backups', 'requestBackup', 'Request a backup'],
  ['GET', '/api/installations/backup/{id}', 'getBackup', 'Get a backup'],
  ['DELETE', '/api/installations/backup/{id}', 'deleteBackup', 'Delete a backup'],
  [
    'GET',
    '/api/installations/operations/database/restorations',
    'listRestorations',
    'List database restorations',
  ],
  [
    'POST',
    '/api/installations/operations/database/restorations',
    'requestRestoration',
    'Request a database restoration',
  ],
  [
    'GET',
    '/api/installations/operations/database/restoration/{id}',
    'getRestoration',
    'Get a database restoration',
  ],
  ['GET', '/api/installations/operations/database/migrations', 'listMigrations', 'List database migrations'],
  [
    'POST',
    '/api/installations/operations/database/migrations',
    'requestMigration',
    'Request a database migration',
  ],
  [
    'GET',
    '/api/installations/operations/database/migration/{id}',
    'getMigration',
    'Get a database migration',
  ],
  [
    'POST',
    '/api/installations/operations/database/migration/{id}/commit',
    'commitMigration',
    'Commit a database migration',
  ],
  [
    'POST',
    '/api/installations/operations/database/migration/{id}/rollback',
    'rollBackMigration',
    'Roll a database migration back',
  ],
  ['POST', '/api/security/installation/backup/{id}/api/lock', 'lockBackup', 'Lock a backup'],
  ['POST', '/api/security/installation/backup/{id}/api/unlock', 'unlockBackup', 'Unlock a backup'],
]

/** Routes for whatever of the original's API `present` does not have. */
export function notYetRoutes(present: readonly Route[]): readonly Route[] {
  const taken = new Set(present.map(shapeOf))
  return NOT_YET.map(toRoute).filter((route) => !taken.has(shapeOf(route)))
}

function toRoute([method, path, operationId, summary]: NotYet): Route {
  const role: Role = method === 'GET' ? 'reader' : 'writer'
  return {
    method,
    path,
    operationId,
    summary: `${summary} (not available yet)`,
    role,
    wire: true,
    responses: {},
    async handler() {
      throw new FleetError(
        'not-implemented',
        `${summary}: this server cannot do that yet, and nothing was changed.`,
      )
    },
  }
}

/** Names of parameters do not matter. */
function shapeOf({ method, path }: Pick<Route, 'method' | 'path'>): string {
  return `${method} ${path.replaceAll(/\{[^}]+\}/g, '{}')}`
}
