/**
 * The whole story of pull requests: on a real Gitea, a real API server and Argo CD, while a human pushes to main all the time. A
 * person asks for a workspace in a pull request that is wrong, is told on which line, corrects it, merges it, and hears
 * when the workspace is live.
 */
import { createHmac } from 'node:crypto'
import { type Test, test } from 'tap'
import { INSTALLATION_RESOURCES, missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startTestbed, type Testbed } from '../../scripts/testbed/testbed.ts'
import { waitFor } from '../../scripts/testbed/wait.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { startOperators } from '../stand-ins/operators.ts'
import { startFleetOnGitea } from '../support/fleet-on-gitea.ts'
import type { FleetCluster, FleetOnTestbed } from '../support/fleet-on-testbed.ts'
import type { MergeStyle } from '../support/forge-world.ts'
import type { GiteaWorld } from '../support/gitea-world.ts'
import { isStable, mattermostWith } from '../support/installation-on-testbed.ts'

const skip = missingCustomResources() ?? false
const CLUSTER: FleetCluster = { name: 'prod-1', engine: 'argocd' }
const CHECK = 'fleetwright/plan'
const BY_HOOK = { within: 45_000, every: 200 }
const WITHIN = { within: 150_000, every: 200 }

interface Stage {
  readonly bed: Testbed
  readonly gitea: GiteaWorld
  readonly fleet: FleetOnTestbed
  readonly hookSecret: string
}

async function setUp(t: Test): Promise<Stage> {
  const bed = await startTestbed({
    clusters: [
      { name: 'control', nodes: 0 },
      { name: CLUSTER.name, customResources: INSTALLATION_RESOURCES },
    ],
    argocd: true,
    gitea: true,
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const operators = startOperators({ api: bed.cluster(CLUSTER.name).api, crossplane: false })
  t.teardown(() => operators.close())
  const { fleet, gitea, hookSecret } = await startFleetOnGitea(bed, [CLUSTER])
  t.teardown(() => fleet.close())
  return { bed, gitea, fleet, hookSecret }
}

/** Line 9 is the one that is wrong in a wrong one. */
function requestText(
  name: string,
  { dns = `${name}.cloud.example.com`, affinity = 'multitenant' } = {},
): string {
  return `apiVersion: fleet.fleetwright.dev/v1
kind: InstallationRequest
metadata:
  name: ${name}
  annotations: [${CLUSTER.name}]
spec:
  owner: acme-inc
  version: 11.2.0
  affinity: ${affinity}
  dns: [${dns}]
  database: cloudnative-pg
  filestore: local-ephemeral
`
}

async function checkBecomes(
  { gitea }: Stage,
  commit: ObjectId,
  wanted: 'success' | 'failure',
  limits = BY_HOOK,
): Promise<string> {
  const found = await waitFor(
    `the check of ${commit} to be ${wanted}`,
    async () => {
      const check = await gitea.sight.check(commit, CHECK)
      return check?.result === wanted ? check : undefined
    },
    limits,
  )
  return found.title
}

async function commentSays({ gitea }: Stage, number: number, words: RegExp): Promise<string> {
  return await waitFor(
    `a comment on pull request ${number} that says ${words}`,
    async () => {
      const comments = await gitea.sight.comments(number)
      return comments.find(({ author, text }) => author === gitea.fleetwright.login && words.test(text))?.text
    },
    WITHIN,
  )
}

/** Somebody who has nothing to do with it, and pushes to main all the while. */
function startBusyPerson({ people }: GiteaWorld): { stop(): Promise<number> } {
  let isWorking = true
  let pushes = 0
  async function work(): Promise<void> {
    while (isWorking) {
      await people.commit('main', { 'notes.md': `Note ${pushes}\n` })
      pushes += 1
    }
  }
  const working = work()
  return {
    async stop() {
      isWorking = false
      await working
      return pushes
    },
  }
}

async function stateOf({ fleet }: Stage, name: string): Promise<string | undefined> {
  const path = '/api/installations?per_page=-1'
  const all = await fleet.request<readonly { Name: string; State: string }[]>('GET', path)
  return all.find((one) => one.Name === name)?.State
}

async function openRequest(
  { gitea }: Stage,
  name: string,
  options: Parameters<typeof requestText>[1] = {},
): Promise<{ readonly number: number; readonly head: ObjectId; readonly path: string }> {
  const path = `requests/${name}.yaml`
  const opened = await gitea.people.openPullRequest({
    branch: `add-${name}`,
    title: `Add a workspace for ${name}`,
    files: { [path]: requestText(name, options) },
  })
  return { ...opened, path }
}

test('the whole story of pull requests', { skip }, async (t) => {
  const stage = await setUp(t)
  await t.test('wrong, told where, corrected, merged, live; main moves all the while', (t) => story(t, stage))
  for (const style of ['squash', 'rebase'] as const)
    await t.test(`${style}: live too`, (t) => mergedBy(t, stage, style))
  await t.test('two for the same DNS name', (t) => clash(t, stage))
  await t.test('the forge is down for a while', (t) => down(t, stage))
  await t.test('hooks that are forged, replayed or lost', (t) => hooks(t, stage))
})

async function story(t: Test, stage: Stage): Promise<void> {
  const { gitea, bed } = stage
  const { people, sight, fleetwright } = gitea
  const busy = startBusyPerson(gitea)
  t.teardown(() => busy.stop())
  const { number, head, path } = await openRequest(stage, 'acme', { affinity: 'wrong' })
  t.comment(await checkBecomes(stage, head, 'failure'))
  const onLines = (await sight.annotations(number)).filter(({ line }) => line > 0)
  t.match(onLines, [{ path, line: 9, text: /isolated, multitenant/ }])
  t.equal(onLines.length, 1)
  await commentSays(stage, number, /Must not be merged/)
  const corrected = await people.push(number, { [path]: requestText('acme') })
  t.comment(await checkBecomes(stage, corrected, 'success'))
  t.strictSame(await sight.annotations(number), [], 'nothing wrong is left')
  t.match(await commentSays(stage, number, /Can be merged/), /acme/)
  await people.merge(number, 'merge')
  const told = await commentSays(stage, number, /is live/)
  t.match(told, new RegExp(`on cluster \`${CLUSTER.name}\``))
  t.comment(`${await busy.stop()} pushes of somebody else to main meanwhile`)
  t.equal(await stateOf(stage, 'acme'), 'stable')
  const id = /\(`([a-z0-9]{26})`\)/.exec(told)?.[1] ?? ''
  await mattermostWith(bed.cluster(CLUSTER.name), id, isStable)
  const own = (await sight.comments(number)).filter(({ author }) => author === fleetwright.login)
  t.equal(own.length, 2, 'the check, and what became of it')
}

async function mergedBy(t: Test, stage: Stage, style: MergeStyle): Promise<void> {
  const { people } = stage.gitea
  const { number, head } = await openRequest(stage, style)
  await checkBecomes(stage, head, 'success')
  // Not a fast-forward, and two commits to squash or rebase.
  const next = await people.push(number, { [`notes-${style}.md`]: 'Why\n' })
  await checkBecomes(stage, next, 'success')
  await people.commit('main', { 'notes.md': `Before ${style}\n` })
  await people.merge(number, style)
  await commentSays(stage, number, /is live/)
  t.equal(await stateOf(stage, style), 'stable')
}

async function clash(t: Test, stage: Stage): Promise<void> {
  const { gitea, fleet } = stage
  const { people } = gitea
  const dns = 'wanted.cloud.example.com'
  const first = await openRequest(stage, 'wanted', { dns })
  const second = await openRequest(stage, 'wanted-too', { dns })
  await checkBecomes(stage, first.head, 'success')
  await checkBecomes(stage, second.head, 'success')
  await people.merge(first.number, 'merge')
  t.comment(await checkBecomes(stage, second.head, 'failure'))
  await commentSays(stage, second.number, /Must not be merged/)
  // Nothing on this Gitea forbids it.
  await people.merge(second.number, 'merge')
  await commentSays(stage, second.number, /cannot be carried out/)
  const { problems } = await fleet.request<{ problems: readonly { path: string }[] }>(
    'GET',
    '/api/fleet/problems',
  )
  t.match(problems, [{ path: second.path }])
  await commentSays(stage, first.number, /is live/)
  t.equal(await stateOf(stage, 'wanted'), 'stable')
  t.equal(await stateOf(stage, 'wanted-too'), undefined)
  await people.commit('main', { [second.path]: undefined })
}

async function hooks(t: Test, stage: Stage): Promise<void> {
  const { gitea, fleet } = stage
  const body = JSON.stringify({
    repository: { full_name: gitea.repository },
    pull_request: { number: 1 },
  })
  const sendHook = async (secret: string): Promise<number> => {
    const response = await fetch(`${fleet.url}/api/fleet/hooks/gitea`, {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        'X-Gitea-Event': 'pull_request',
        'X-Gitea-Delivery': 'one-and-the-same',
        'X-Gitea-Signature': createHmac('sha256', secret).update(body).digest('hex'),
      },
      body,
    })
    return response.status
  }
  t.equal(await sendHook('guessed'), 401, 'forged')
  const [once, again] = [await sendHook(stage.hookSecret), await sendHook(stage.hookSecret)]
  t.ok(once < 300 && again < 300, 'replayed: taken, and nothing comes of it')
  const path = `/repos/${gitea.repository}/hooks`
  const all: readonly { id: number }[] = await gitea.gitea.call('GET', path)
  for (const { id } of all) await gitea.gitea.call('DELETE', `${path}/${id}`)
  const { head } = await openRequest(stage, 'unheard')
  t.ok(await checkBecomes(stage, head, 'success', WITHIN), 'the poll finds it')
}

async function down(t: Test, stage: Stage): Promise<void> {
  const { gitea, fleet } = stage
  await gitea.gitea.stop()
  const codes = async (): Promise<readonly string[]> => {
    const path = '/api/fleet/problems'
    const { problems } = await fleet.request<{ problems: readonly { code: string }[] }>('GET', path)
    return problems.map(({ code }) => code)
  }
  await waitFor('it to be told', async () => (await codes()).includes('forge-unavailable'), WITHIN)
  await gitea.gitea.start()
  await waitFor('it to be over', async () => (await codes()).length === 0, WITHIN)
  const { number, head } = await openRequest(stage, 'afterwards')
  await checkBecomes(stage, head, 'success', WITHIN)
  await gitea.people.merge(number, 'squash')
  await commentSays(stage, number, /is live/)
  t.equal(await stateOf(stage, 'afterwards'), 'stable')
}
