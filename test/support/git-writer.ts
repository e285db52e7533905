/** A writer on a real repository, with a renderer that is quick to check. */
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FileChange } from '../../src/fleet/files.ts'
import { FLEET_PATH, manifestPath } from '../../src/fleet/paths.ts'
import type { RequestContext, Transaction } from '../../src/fleet/transaction.ts'
import { createInstallation } from '../../src/fleet/transactions/installations/create.ts'
import type { Settled } from '../../src/fleet/transactions/requests.ts'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { createHistory } from '../../src/git/history.ts'
import { createFleetWriter } from '../../src/git/writer/create.ts'
import type { FleetWriter, RenderChanges } from '../../src/ports/writer.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { id, settings } from './intents.ts'

/** One file an installation, which says its name and version. */
export const renderNames: RenderChanges = (_fleet, changes) =>
  changes.flatMap(({ before, after }): FileChange[] => {
    if (after?.kind === 'Installation' && after.spec.placement !== undefined) {
      const path = manifestPath(after.spec.placement.cluster, after.metadata.id)
      return [{ path, text: `name: ${after.metadata.name}\nversion: ${after.spec.version}\n` }]
    }
    if (before?.kind === 'Installation' && before.spec.placement !== undefined)
      return [{ path: manifestPath(before.spec.placement.cluster, before.metadata.id), text: undefined }]
    return []
  })

export function initialFiles(): readonly FileChange[] {
  return [{ path: FLEET_PATH, text: createDocuments().emit(settings()) }]
}

export async function writerOn(
  home: RepositoryHome,
  extra: Partial<Parameters<typeof createFleetWriter>[0]> = {},
): Promise<FleetWriter> {
  return await createFleetWriter({
    home,
    history: createHistory(home.gitDirectory),
    render: renderNames,
    clock: systemClock,
    randomness: systemRandomness,
    committer: { name: 'Fleetwright', email: 'fleetwright@example.com' },
    observer: { queued: ignore, window: ignore, race: ignore, ingested: ignore, failed: ignore },
    initialFiles: initialFiles(),
    placement: 'now',
    ...extra,
  })
}

export async function embeddedWriter(directory: string): Promise<FleetWriter> {
  return await writerOn(await openEmbeddedHome(directory))
}

export function requestContext(number: number, extra: Partial<RequestContext> = {}): RequestContext {
  return {
    requestId: `request-${number}`,
    actor: { name: 'Ada', email: 'ada@example.com' },
    now: Date.UTC(2026, 10, 23, 9),
    ...extra,
  }
}

/** Creates `acme-<number>`. */
export function creation(number: number, name = `acme-${number}`): Transaction<Settled> {
  return createInstallation({
    id: id(number),
    clusterInstallationId: id(2_000_000 + number),
    logicalDatabaseId: id(3_000_000 + number),
    name,
    dns: [{ id: id(1_000_000 + number), name: `${name}.cloud.example.com` }],
    annotations: [],
    placement: 'now',
    spec: {
      owner: 'owner',
      version: '11.2.0',
      image: 'mattermost/mattermost-enterprise-edition',
      size: '100users',
      affinity: 'multitenant',
      database: { kind: 'cloudnative-pg' },
      filestore: { kind: 'local-ephemeral' },
    },
  })
}

function ignore(): void {
  // Nothing to tell in tests.
}
