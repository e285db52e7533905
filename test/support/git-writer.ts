/** A writer on a real repository, with a renderer that is quick to check. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FileChange } from '../../src/fleet/files.ts'
import { clusterPath, FLEET_PATH, manifestPath } from '../../src/fleet/paths.ts'
import type { RequestContext, Transaction } from '../../src/fleet/transaction.ts'
import { createInstallation } from '../../src/fleet/transactions/installations/create.ts'
import type { Settled } from '../../src/fleet/transactions/requests.ts'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { createHistory } from '../../src/git/history.ts'
import { createFleetWriter } from '../../src/git/writer/create.ts'
import type { RepositoryWriter, WriterObserver } from '../../src/git/writer/types.ts'
import type { FleetWriter, RenderChanges } from '../../src/ports/writer.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { remoteHome } from './git-server/home.ts'
import { type GitServer, startGitServer } from './git-server/server.ts'
import { cluster, id, settings } from './intents.ts'

type WriterExtra = Partial<Parameters<typeof createFleetWriter>[0]>

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

export const SILENT: WriterObserver = {
  queued: ignore,
  window: ignore,
  race: ignore,
  paced: ignore,
  limited: ignore,
  ingested: ignore,
  failed: ignore,
}

export async function writerOn(home: RepositoryHome, extra: WriterExtra = {}): Promise<RepositoryWriter> {
  return await createFleetWriter({
    home,
    history: createHistory(home.gitDirectory),
    render: renderNames,
    clock: systemClock,
    randomness: systemRandomness,
    committer: { name: 'Fleetwright', email: 'fleetwright@example.com' },
    observer: SILENT,
    initialFiles: initialFiles(),
    placement: 'now',
    ...extra,
  })
}

export async function embeddedWriter(directory: string): Promise<FleetWriter> {
  return await writerOn(await openEmbeddedHome(directory))
}

export type HomeKind = 'embedded' | 'remote'

export interface StartedWriter {
  readonly writer: FleetWriter
  /** The repository that counts. */
  readonly directory: string
  /** For files of the test. */
  readonly folder: string
  /** Present with a remote home. */
  readonly server: GitServer | undefined
  /** One more writer on the same repository, as another replica has it (remote only). */
  replica(extra?: WriterExtra): Promise<FleetWriter>
}

/** A writer on an empty repository that goes when the test ends. */
export async function startWriter(t: Test, kind: HomeKind, extra: WriterExtra = {}): Promise<StartedWriter> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  const server = kind === 'remote' ? await startGitServer() : undefined
  const directory = server?.directory ?? join(folder, 'fleet.git')
  const writers: FleetWriter[] = []
  const open = async (options: WriterExtra): Promise<FleetWriter> => {
    const home =
      server === undefined
        ? await openEmbeddedHome(directory)
        : await remoteHome(server, join(folder, `data-${writers.length}`))
    const writer = await writerOn(home, options)
    writers.push(writer)
    return writer
  }
  t.teardown(async () => {
    for (const writer of writers) await writer.close()
    await server?.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { writer: await open(extra), directory, folder, server, replica: (options = {}) => open(options) }
}

/** Imports a cluster with room for everything a test makes. */
export function importCluster(name: string, number: number): Transaction<undefined> {
  const after = cluster(name, number, { capacity: { installations: 1_000_000 } })
  return () => ({
    changes: [{ path: clusterPath(name), before: undefined, after }],
    text: { subject: `Import cluster ${name}`, trailers: { Cluster: id(number) } },
    value: undefined,
  })
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
