/** A Fleetwright process whose fleet repository is on a real Gitea, with its hooks and a change policy; no clusters to apply to. */
import { execFileSync } from 'node:child_process'
import { createHmac, randomBytes, randomUUID } from 'node:crypto'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { freePort } from '../../scripts/testbed/ports.ts'
import type { Supervisor } from '../../scripts/testbed/supervisor.ts'
import type { Id } from '../../src/fleet/ids.ts'
import { installationPath, requestPath } from '../../src/fleet/paths.ts'
import { importCluster, type Reply, send } from './api.ts'
import { createGiteaWorld, type GiteaWorld } from './gitea-world.ts'
import { git } from './person.ts'
import { type ServerProcess, startServerProcess } from './server-process.ts'
import { until } from './until.ts'

const POLICY = `  changePolicy:
    review:
      deletions: true
      sizeUps: true
      groupVersions: true
`
const CLUSTER = 'prod-1'
/** On a machine that has other things to do. */
const PATIENCE_SECONDS = 90

export interface GiteaPull {
  readonly number: number
  readonly state: 'open' | 'closed'
  readonly merged: boolean
  readonly html_url: string
  readonly head: { readonly ref: string; readonly sha: string; readonly label: string }
}

export interface AskedReview {
  readonly id: string
  readonly number: number
  readonly url: string
}

export interface ReviewsOnGitea {
  readonly url: string
  readonly world: GiteaWorld
  readonly server: ServerProcess
  /** Flags that the process was started with. */
  readonly flags: readonly string[]
  /** Installations that were created, and are being updated as far as anybody knows. */
  createUpdating(names: readonly string[]): Promise<readonly Id[]>
  ask(
    method: string,
    path: string,
    asking?: { readonly body?: object; readonly key?: string },
  ): Promise<Reply>
  grow(id: Id, size: string, key?: string): Promise<Reply>
  sizeOf(id: Id): Promise<string>
  /** Of the installation, as it is on main. */
  document(id: Id): Promise<{ readonly path: string; readonly text: string }>
  pull(number: number): Promise<GiteaPull>
  /** All pull requests whose branch begins so. */
  pullsOf(branch: string): Promise<readonly GiteaPull[]>
  branchesBelow(prefix: string): Promise<readonly string[]>
  /** A squash after which Gitea removes the branch, as repositories can be set up to do. */
  mergeAndRemove(number: number): Promise<void>
  /** Full messages of main, newest first. */
  messages(): Promise<readonly string[]>
  isOnMain(commit: string): Promise<boolean>
  /** Waits until the review is over, and everybody was told. @returns what main says of it */
  ended(review: AskedReview, said: RegExp): Promise<readonly string[]>
  /** A hook as Gitea sends it, of this moment. @returns the status it was answered */
  hook(event: string, body: object): Promise<number>
}

export async function startReviewsOnGitea(supervisor: Supervisor): Promise<ReviewsOnGitea> {
  const gitea = await startGitea(supervisor)
  const world = await createGiteaWorld(gitea, await supervisor.makeFolder('people'))
  const folder = await supervisor.makeFolder('fleetwright', 0o700)
  const secret = randomBytes(24).toString('base64url')
  await writeFile(join(folder, 'token'), world.fleetwright.token)
  await writeFile(join(folder, 'hook-secret'), secret)
  const port = await freePort()
  const url = `http://127.0.0.1:${port}`
  const flags = [
    ...['--fleet', world.cloneUrl, '--fleet-user', world.fleetwright.login],
    ...['--fleet-token-file', join(folder, 'token'), '--forge', 'gitea'],
    ...['--forge-hook-secret-file', join(folder, 'hook-secret')],
    ...['--poll-seconds', '2', '--pull-request-poll-seconds', '5'],
  ]
  const server = await startServerProcess({ data: join(folder, 'data'), port, flags })
  const hookUrl = `${url}/api/fleet/hooks/gitea`
  await gitea.call('POST', `/repos/${world.repository}/hooks`, {
    type: 'gitea',
    active: true,
    events: ['push', 'pull_request'],
    config: { url: hookUrl, content_type: 'json', secret },
  })
  const look = createLook(world, join(folder, 'looking.git'))
  const stage: ReviewsOnGitea = {
    ...{ url, world, server, flags, ...look },
    ...createAsking(url, world, look),
    async mergeAndRemove(number) {
      const path = `/repos/${world.repository}/pulls/${number}/merge`
      const body = { Do: 'squash', delete_branch_after_merge: true }
      // Refused while it looks whether it can be merged.
      await until(
        () => world.call(world.person, 'POST', path, body).catch(String),
        (refused) => refused === null,
        PATIENCE_SECONDS,
      )
    },
    async ended({ id, number }, said) {
      await until(
        async () => {
          const [comments, branches] = [
            await world.sight.comments(number),
            await look.branchesBelow(`fleetwright/review/${id}`),
          ]
          return { comments, branches, state: (await look.pull(number)).state }
        },
        ({ comments, branches, state }) =>
          branches.length === 0 && state === 'closed' && comments.some(({ text }) => said.test(text)),
        PATIENCE_SECONDS,
      )
      const records = (await look.messages()).filter((message) => message.includes(`Review: ${id}`))
      return records.flatMap((message) => /^Review-Outcome: (.*)$/m.exec(message)?.[1] ?? [])
    },
    async hook(event, body) {
      const text = JSON.stringify({ ...body, repository: { full_name: world.repository } })
      const signature = createHmac('sha256', secret).update(text).digest('hex')
      const headers = {
        'content-type': 'application/json',
        'x-gitea-event': event,
        'x-gitea-delivery': randomUUID(),
        'x-gitea-signature': signature,
      }
      return (await fetch(hookUrl, { method: 'POST', headers, body: text })).status
    },
  }
  await importCluster(url, CLUSTER)
  const settings = await look.onMain('fleet.yaml')
  await world.people.commit('main', { 'fleet.yaml': `${settings.trimEnd()}\n${POLICY}` })
  return stage
}

type Look = Pick<ReviewsOnGitea, 'pull' | 'pullsOf' | 'branchesBelow' | 'messages' | 'isOnMain'> & {
  onMain(path: string): Promise<string>
}

/** What git and Gitea have, as a person sees it. */
function createLook(world: GiteaWorld, directory: string): Look {
  const { login, token } = world.person
  const remote = world.cloneUrl.replace('http://', `http://${login}:${token}@`)
  execFileSync('git', ['init', '--quiet', '--bare', directory])
  const fetched = async (): Promise<void> => {
    git(directory, 'fetch', '--quiet', '--prune', remote, '+refs/heads/*:refs/heads/*')
  }
  const pulls = `/repos/${world.repository}/pulls`
  return {
    pull: (number) => world.call(world.person, 'GET', `${pulls}/${number}`),
    async pullsOf(branch) {
      const found: GiteaPull[] = []
      for (let page = 1; ; page += 1) {
        const some: readonly GiteaPull[] = await world.call(
          world.person,
          'GET',
          `${pulls}?state=all&limit=50&page=${page}`,
        )
        found.push(...some)
        if (some.length < 50) break
      }
      return found.filter(({ head }) => head.label.startsWith(branch) || head.ref.startsWith(branch))
    },
    async branchesBelow(prefix) {
      await fetched()
      const names = git(directory, 'for-each-ref', '--format=%(refname:lstrip=2)').split('\n')
      return names.filter((name) => name.startsWith(prefix))
    },
    async messages() {
      await fetched()
      return git(directory, 'log', '--format=%B%x00', 'main').split('\0')
    },
    async isOnMain(commit) {
      await fetched()
      return git(directory, 'rev-list', 'main').split('\n').includes(commit)
    },
    async onMain(path) {
      await fetched()
      return git(directory, 'show', `main:${path}`)
    },
  }
}

function createAsking(
  url: string,
  { people }: GiteaWorld,
  look: Look,
): Pick<ReviewsOnGitea, 'createUpdating' | 'ask' | 'grow' | 'sizeOf' | 'document'> {
  const ask: ReviewsOnGitea['ask'] = (method, path, { body, key } = {}) =>
    send(url, method, path, {
      ...(body === undefined ? {} : { body }),
      ...(key === undefined ? {} : { headers: { 'idempotency-key': key } }),
    })
  async function document(id: Id): Promise<{ readonly path: string; readonly text: string }> {
    for (const path of [installationPath(CLUSTER, id), requestPath(id)])
      try {
        return { path, text: await look.onMain(path) }
      } catch {
        // At the other place.
      }
    throw new Error(`main has no ${id}`)
  }
  return {
    ask,
    document,
    grow: (id, size, key) =>
      ask('PUT', `/api/installation/${id}/mattermost`, {
        body: { Size: size },
        ...(key === undefined ? {} : { key }),
      }),
    async sizeOf(id) {
      return (await ask('GET', `/api/installation/${id}`)).body.Size
    },
    async createUpdating(names) {
      const replies = await Promise.all(
        names.map((name) => ask('POST', '/api/installations', { body: installation(name) })),
      )
      const ids: Id[] = replies.map(({ body }) => body.ID)
      const files: Record<string, string> = {}
      for (const id of ids) {
        const { path, text } = await document(id)
        files[path] = text.replace(/^( +kind: )creation$/m, '$1update').replace(/^( +generation: )1$/m, '$12')
      }
      await people.commit('main', files)
      for (const id of ids)
        await until(
          () => ask('GET', `/api/installation/${id}`),
          ({ body }) => body.State === 'update-requested',
          PATIENCE_SECONDS,
        )
      return ids
    },
  }
}

function installation(name: string): object {
  return {
    OwnerID: 'owner',
    Name: name,
    DNSNames: [`${name}.example.com`],
    Affinity: 'multitenant',
    Database: 'cloudnative-pg',
    Filestore: 'local-ephemeral',
  }
}

/** The review that an answer names. */
export function reviewOf({ status, text, headers }: Reply): AskedReview {
  const url = headers.get('fleetwright-pull-request')
  const id = headers.get('fleetwright-review')
  if (url === null || id === null) throw new Error(`no review: ${status} ${text}`)
  return { id, url, number: Number(url.split('/').at(-1)) }
}
