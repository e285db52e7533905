import { test } from 'tap'
import { DEADLINES, type JudgeInput, judge } from '../../../src/fleet/observed/judge.ts'
import type { InstallationSight, MattermostSight, PodSight } from '../../../src/fleet/observed/sight.ts'
import type { InstallationOperation } from '../../../src/fleet/intents.ts'
import { CREATED_AT, installation } from '../../support/intents.ts'
import { stableMattermost } from '../../support/sights.ts'

const START = Date.parse(CREATED_AT)
const MINUTE = 60_000

function mattermost(extra: Partial<MattermostSight> = {}): MattermostSight {
  return stableMattermost(START, extra)
}

const reconciling = {
  report: { health: 'progressing', reason: 'Reconciling', message: 'The Mattermost operator is at work' },
  state: 'reconciling',
} as const
const asleep = {
  report: { health: 'suspended', reason: 'Hibernated', message: 'Hibernated (0 replicas)' },
  replicas: 0,
} as const

function pods(wanted: number, ready: number, problems: PodSight['problems'] = []): PodSight {
  return { wanted, total: wanted, running: ready, started: ready, ready, problems }
}

function sight(extra: Partial<InstallationSight> = {}): InstallationSight {
  return {
    contact: { connected: true, lastContact: START },
    engine: {
      engine: 'flux',
      name: 'a-shard-y',
      sync: 'synced',
      revision: 'a'.repeat(40),
      current: true,
      observedAt: START,
    },
    namespace: 'active',
    mattermost: mattermost(),
    resources: [],
    pods: pods(1, 1),
    operatorBusy: 0,
    observedAt: START,
    ...extra,
  }
}

interface Case {
  readonly name: string
  readonly kind: InstallationOperation
  readonly sight: InstallationSight | undefined
  readonly state: string
  readonly reason?: RegExp
  readonly after?: number
  readonly stuck?: boolean
  readonly hibernated?: boolean
  readonly generation?: number
  readonly extra?: Partial<JudgeInput>
}

const resource = (kind: string, health: 'healthy' | 'progressing' | 'degraded', message = 'being made') => ({
  kind,
  name: 'r',
  report: { health, reason: 'R', message },
  since: START,
})
const noCr = { mattermost: undefined, pods: undefined }
const pulling = { pods: pods(2, 0, [{ reason: 'ImagePullBackOff', count: 2 }]) }

const CASES: readonly Case[] = [
  { name: 'no cluster was tried', kind: 'creation', sight: undefined, state: 'creation-requested' },
  {
    name: 'no cluster fits',
    kind: 'creation',
    sight: undefined,
    extra: { waitingFor: 'prod-1 is full' },
    state: 'creation-no-compatible-clusters',
    reason: /prod-1 is full/,
  },
  {
    name: 'committed, not applied',
    kind: 'creation',
    sight: sight({ ...noCr, namespace: 'missing' }),
    state: 'creation-requested',
    reason: /Flux has not applied it yet/,
  },
  {
    name: 'the engine cannot apply it',
    kind: 'creation',
    sight: sight({
      ...noCr,
      namespace: 'missing',
      engine: {
        engine: 'argocd',
        name: 'x',
        sync: 'failed',
        revision: undefined,
        current: false,
        observedAt: START,
        message: 'denied',
      },
    }),
    state: 'creation-requested',
    reason: /Argo CD cannot apply it: denied/,
  },
  {
    name: 'the database is being made',
    kind: 'creation',
    sight: sight({ mattermost: mattermost(reconciling), resources: [resource('Cluster', 'progressing')] }),
    state: 'creation-pre-provisioning',
    reason: /Cluster r: being made/,
  },
  {
    name: 'only the DNS record is open',
    kind: 'creation',
    sight: sight({
      mattermost: mattermost(reconciling),
      resources: [resource('Bucket', 'healthy'), resource('Record', 'progressing')],
    }),
    state: 'creation-configuring-dns',
  },
  {
    name: 'Mattermost starts',
    kind: 'creation',
    sight: sight({ mattermost: mattermost(reconciling), pods: pods(2, 1) }),
    state: 'creation-in-progress',
    reason: /1 of 2 pods/,
  },
  { name: 'created', kind: 'creation', sight: sight(), state: 'stable' },
  {
    name: 'stable of the operation before',
    kind: 'update',
    generation: 2,
    sight: sight(),
    state: 'update-requested',
    reason: /not applied it yet/,
  },
  {
    name: 'the present spec is not processed',
    kind: 'update',
    sight: sight({
      mattermost: mattermost({
        report: { health: 'progressing', reason: 'GenerationNotObserved', message: 'not processed' },
        generationObserved: false,
      }),
    }),
    state: 'update-in-progress',
  },
  {
    name: 'queued behind the slots is not stuck',
    kind: 'update',
    after: 50 * MINUTE,
    sight: sight({
      operatorBusy: 20,
      mattermost: mattermost({
        report: { health: 'progressing', reason: 'GenerationNotObserved', message: '' },
      }),
    }),
    state: 'update-in-progress',
    reason: /slot of the Mattermost operator/,
    stuck: false,
  },
  {
    name: 'rolls out',
    kind: 'update',
    sight: sight({ mattermost: mattermost(reconciling) }),
    state: 'update-in-progress',
    stuck: false,
  },
  {
    name: 'stuck with the reason',
    kind: 'update',
    after: 14 * MINUTE,
    sight: sight({ mattermost: mattermost(reconciling), ...pulling }),
    state: 'update-in-progress',
    stuck: true,
    reason: /for 14 min: Mattermost is reconciling: image pull back-off on 2 pods/,
  },
  {
    name: 'failed with the reason',
    kind: 'update',
    after: 31 * MINUTE,
    sight: sight({ mattermost: mattermost(reconciling), ...pulling }),
    state: 'update-failed',
    stuck: true,
    reason: /image pull back-off/,
  },
  {
    name: 'slow without a known cause does not fail',
    kind: 'update',
    after: 31 * MINUTE,
    sight: sight({ mattermost: mattermost(reconciling) }),
    state: 'update-in-progress',
    stuck: true,
  },
  {
    name: 'a creation that failed',
    kind: 'creation',
    after: 31 * MINUTE,
    sight: sight({
      mattermost: mattermost({
        report: { health: 'degraded', reason: 'OperatorError', message: 'no Secret' },
        state: 'reconciling',
        error: 'no Secret',
      }),
    }),
    state: 'creation-failed',
    stuck: true,
    reason: /no Secret/,
  },
  {
    name: 'without contact nothing is called stuck',
    kind: 'update',
    after: 31 * MINUTE,
    sight: sight({
      contact: {
        connected: false,
        lastContact: START,
        problem: { code: 'unreachable', detail: 'connect ECONNREFUSED', since: START },
      },
      mattermost: mattermost(reconciling),
    }),
    state: 'update-in-progress',
    stuck: false,
    reason: /No contact.*ECONNREFUSED/,
  },
  {
    name: 'goes to sleep',
    kind: 'hibernation',
    hibernated: true,
    sight: sight({ mattermost: mattermost(reconciling) }),
    state: 'hibernation-in-progress',
  },
  {
    name: 'pods still run',
    kind: 'hibernation',
    hibernated: true,
    sight: sight({ mattermost: mattermost(asleep) }),
    state: 'hibernation-in-progress',
    reason: /1 pods still run/,
  },
  {
    name: 'sleeps',
    kind: 'hibernation',
    hibernated: true,
    sight: sight({ mattermost: mattermost(asleep), pods: pods(0, 0) }),
    state: 'hibernating',
  },
  {
    name: 'wakes up',
    kind: 'wake-up',
    sight: sight({ mattermost: mattermost(reconciling) }),
    state: 'update-in-progress',
  },
  { name: 'is awake', kind: 'wake-up', sight: sight(), state: 'stable' },
  {
    name: 'sleeps before its deletion',
    kind: 'deletion-pending',
    hibernated: true,
    sight: sight({ mattermost: mattermost(asleep), pods: pods(0, 0) }),
    state: 'deletion-pending',
  },
  { name: 'comes back', kind: 'deletion-cancellation', sight: sight(), state: 'stable' },
  { name: 'to be deleted', kind: 'deletion', sight: sight(), state: 'deletion-requested' },
]

function input({ kind, sight: seen, after = 1_000, hibernated, generation = 1, extra }: Case): JudgeInput {
  const wanted = installation('acme', 1, {
    operation: { kind, generation, requestedAt: CREATED_AT },
    ...(hibernated === true ? { hibernated } : {}),
  })
  return { installation: wanted, sight: seen, now: START + after, deadlines: DEADLINES, ...extra }
}

test('the state follows from what is wanted and what is seen', async (t) => {
  for (const item of CASES) {
    const verdict = judge(input(item))
    t.equal(verdict.state, item.state, item.name)
    if (item.reason !== undefined) t.match(verdict.reason, item.reason, `${item.name}: reason`)
    if (item.stuck !== undefined) t.equal(verdict.stuck, item.stuck, `${item.name}: stuck`)
    if (verdict.stuck || /failed$/.test(verdict.state)) t.ok(verdict.wayOut, `${item.name}: has a way out`)
  }
})

test('what was completed stays so; a later disturbance is one of health', async (t) => {
  const disturbed = sight({
    mattermost: mattermost({
      report: { health: 'degraded', reason: 'OperatorError', message: 'no Secret' },
      error: 'no Secret',
    }),
  })
  const verdict = judge(
    input({
      name: '',
      kind: 'update',
      sight: disturbed,
      state: '',
      after: 10_000,
      extra: { completedGeneration: 1 },
    }),
  )
  t.match(verdict, {
    state: 'stable',
    completed: true,
    health: { health: 'degraded', message: 'no Secret' },
    wayOut: /reason/,
  })
})

test('an error that lasts under the debounce is not shown, and is looked at again', async (t) => {
  const flicker = sight({
    mattermost: mattermost({
      report: { health: 'degraded', reason: 'OperatorError', message: 'no ServiceAccount' },
      since: START + 900,
      error: 'no ServiceAccount',
      state: 'reconciling',
    }),
  })
  const early = judge(input({ name: '', kind: 'creation', sight: flicker, state: '', after: 1_000 }))
  t.match(early, { health: { health: 'progressing' }, judgeAgainAt: START + 900 + DEADLINES.debounce })
  const late = judge(input({ name: '', kind: 'creation', sight: flicker, state: '', after: 3_000 }))
  t.match(late, { health: { health: 'degraded' } })
})

test('a failed ping makes a stable workspace unhealthy', async (t) => {
  const silent = sight({ ping: { ok: false, status: 502, at: START, detail: 'HTTP 502' } })
  t.match(judge(input({ name: '', kind: 'creation', sight: silent, state: '' })), {
    state: 'stable',
    health: { health: 'degraded', reason: 'PingFailed' },
  })
})

test('an error of Mattermost while its database is being made is not its own', async (t) => {
  const report = { health: 'degraded', reason: 'OperatorError', message: 'no Secret' } as const
  const early = sight({ mattermost: mattermost({ report }), resources: [resource('Cluster', 'progressing')] })
  const verdict = judge(input({ name: '', kind: 'creation', sight: early, state: '', after: 60_000 }))
  t.match(verdict, { state: 'creation-pre-provisioning', health: { health: 'progressing' } })
})

test('an operation only goes forward, whatever order objects are told in', async (t) => {
  const early = sight({
    mattermost: mattermost(reconciling),
    resources: [resource('Cluster', 'progressing')],
  })
  const kind = { name: '', kind: 'creation', sight: early, state: '' } as const
  t.equal(judge(input(kind)).state, 'creation-pre-provisioning')
  t.equal(judge(input({ ...kind, extra: { reached: 'creation-in-progress' } })).state, 'creation-in-progress')
  t.equal(
    judge(input({ ...kind, extra: { reached: 'creation-requested' } })).state,
    'creation-pre-provisioning',
  )
  t.equal(judge(input({ ...kind, sight: sight(), extra: { reached: 'creation-failed' } })).state, 'stable')
  const working = sight({ mattermost: mattermost(reconciling) })
  t.equal(
    judge(input({ name: '', kind: 'update', sight: working, state: '', extra: { reached: 'update-failed' } }))
      .state,
    'update-in-progress',
  )
})
