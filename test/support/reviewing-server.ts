/** The API of a test server with a forge in memory before its repository, and the loop between both under the test's hand. */
import { mkdtemp, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Registry } from 'prom-client'
import type { Test } from 'tap'
import { createApiServer } from '../../src/api/server.ts'
import type { Parts } from '../../src/api/context.ts'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { ReviewPolicy } from '../../src/fleet/intents.ts'
import { FLEET_PATH } from '../../src/fleet/paths.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { type ReviewLoop, startReviewLoop } from '../../src/reconcile/reviews.ts'
import { systemClock } from '../../src/system/clock.ts'
import { GIT_TOKEN, type GitServer } from './git-server/server.ts'
import { createMemoryForge, type MemoryForge } from './memory-forge.ts'
import { commitAs, git } from './person.ts'
import { startTestServer, type TestServer } from './server.ts'

export interface ReviewingServer extends Omit<TestServer, 'close' | 'stop'> {
  readonly parts: Parts
  readonly forge: MemoryForge
  readonly loop: ReviewLoop
  readonly directory: string
  /** The same API without a forge. */
  readonly plainUrl: string
  readonly errors: unknown[]
  /** As if so many hours had passed for the loop. */
  passHours(hours: number): void
  /** As a person writes it into fleet.yaml. */
  setPolicy(review: ReviewPolicy | undefined, how?: { readonly unseen: boolean }): Promise<void>
  /** What others pushed is taken in, and what follows from it is on main. */
  takeIn(): Promise<void>
}

export interface ReviewingOptions {
  /** To go on with. */
  readonly started?: TestServer
  readonly forge?: MemoryForge
  /** Where the fleet repository is; otherwise it is embedded. */
  readonly repository?: GitServer
  /** Pull requests are opened, and nothing else is done by itself. */
  readonly quiet?: boolean
}

export async function startReviewingServer(
  t: Pick<Test, 'teardown'>,
  { started, forge: given, quiet = false, repository }: ReviewingOptions = {},
): Promise<ReviewingServer> {
  const server = started ?? (repository === undefined ? await startTestServer() : await startOn(repository))
  const directory = repository?.directory ?? join(server.folder, 'fleet.git')
  const forge = given ?? createMemoryForge({ directory })
  const errors: unknown[] = []
  let ahead = 0
  const clock: Clock = { ...systemClock, now: () => systemClock.now() + ahead }
  const { writer, history, secrets, secretHolds } = server.server.parts
  const loop = startReviewLoop({
    ...{ writer, history, secrets, clock },
    forge: quiet
      ? { ...forge, openPullRequests: async () => Promise.reject(new Error('it is quiet')) }
      : forge,
    holds: secretHolds,
    onError: (error) => void errors.push(error),
  })
  const parts: Parts = { ...server.server.parts, changeReviews: loop, registry: new Registry() }
  const api = createApiServer(parts)
  const { url } = await api.listen({ host: '127.0.0.1', port: 0 })
  t.teardown(async () => {
    await api.close()
    await loop.close()
    if (started === undefined) await server.close()
  })
  const documents = createDocuments()
  return {
    ...{ url, parts, forge, loop, directory, errors },
    plainUrl: server.url,
    setupUrl: server.setupUrl,
    server: server.server,
    folder: server.folder,
    passHours(hours) {
      ahead += hours * 3_600_000
    },
    async setPolicy(review, { unseen } = { unseen: false }) {
      const before = writer.fleet.settings
      const { changePolicy: _, ...spec } = before.spec
      const after = { ...before, spec: review === undefined ? spec : { ...spec, changePolicy: { review } } }
      const text = documents.edit(git(directory, 'show', `main:${FLEET_PATH}`), before, after)
      await commitAs(directory, server.folder, { [FLEET_PATH]: text }, 'Change the policy')
      if (!unseen) await writer.poll()
    },
    async takeIn() {
      await writer.poll()
      // A change of nothing goes through after everything that waits.
      await writer.submit(
        () => ({ changes: [], text: { subject: 'Nothing', trailers: {} }, value: undefined }),
        {
          requestId: 'nothing',
          actor: { name: 'test', email: 'test@example.com' },
          now: systemClock.now(),
        },
      )
    },
  }
}

/** Over HTTP, as with any git server. */
async function startOn({ url }: GitServer): Promise<TestServer> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  await writeFile(join(folder, 'fleet-token'), GIT_TOKEN)
  return await startTestServer('none', folder, {
    fleet: url,
    'fleet-token-file': join(folder, 'fleet-token'),
  })
}
