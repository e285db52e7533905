/** How far a removal has come, and what it is ready for: by table, and whatever is not known is taken as still there. */
import { test } from 'tap'
import { API_VERSION, type DatabaseKind, type Tombstone } from '../../../src/fleet/intents.ts'
import type { HealthReport } from '../../../src/fleet/observed/health.ts'
import { DEADLINES, judge } from '../../../src/fleet/observed/judge.ts'
import type { DeletionInput, RemovalStep } from '../../../src/fleet/observed/removal.ts'
import type { EngineSight, InstallationSight, ResourceSight } from '../../../src/fleet/observed/sight.ts'
import { CREATED_AT, installation } from '../../support/intents.ts'
import { stableMattermost } from '../../support/sights.ts'

const START = Date.parse(CREATED_AT)

interface Case {
  readonly name: string
  readonly sight: InstallationSight
  readonly deletion: DeletionInput
  /** Milliseconds after the request. */
  readonly after?: number
  readonly state: string
  readonly reason?: RegExp
  readonly stuck?: boolean
  readonly step: RemovalStep | undefined
}

const MATTERMOST = stableMattermost(START)

function sight(extra: Partial<InstallationSight> = {}): InstallationSight {
  return {
    contact: { connected: true, lastContact: START },
    engine: undefined,
    namespace: 'active',
    mattermost: MATTERMOST,
    resources: [],
    pods: { wanted: 1, total: 1, running: 1, started: 1, ready: 1, problems: [] },
    operatorBusy: 0,
    observedAt: START,
    ...extra,
  }
}

/** A deletion with its tombstone. */
function deletion(spec: Partial<Tombstone['spec']> = {}, fresh = true): DeletionInput {
  return { fresh, tombstone: tombstone(spec) }
}

function tombstone(spec: Partial<Tombstone['spec']>): Tombstone {
  return {
    apiVersion: API_VERSION,
    kind: 'Tombstone',
    metadata: installation('acme', 1).metadata,
    spec: {
      actor: 'portal',
      notBefore: CREATED_AT,
      keep: { database: false, filestore: false },
      installation: installation('acme', 1),
      ...spec,
    },
  }
}

function own(kind: DatabaseKind): Partial<Tombstone['spec']> {
  return { installation: installation('acme', 1, { database: { kind } }) }
}

const EMPTIED = { emptiedAt: CREATED_AT }
const KEEPS = { keep: { database: true, filestore: false } }
const applied: EngineSight = {
  engine: 'argocd',
  name: 'mm-acme',
  sync: 'synced',
  revision: 'a'.repeat(40),
  current: true,
  observedAt: START,
}
const gone = { namespace: 'missing', mattermost: undefined, resources: [], pods: undefined } as const

function resource(kind: string, health: HealthReport['health'], message = ''): ResourceSight {
  return { kind, name: `${kind.toLowerCase()}-1`, report: { health, reason: 'Test', message }, since: START }
}

/** What a deletion is ready for (`step`) besides its state. */
const DELETIONS: readonly Case[] = [
  {
    name: 'asked for',
    sight: sight(),
    deletion: { tombstone: undefined, fresh: true },
    state: 'deletion-requested',
    step: undefined,
  },
  {
    name: 'over the limit: waits, and is never stuck',
    sight: sight(),
    after: DEADLINES.failed * 2,
    deletion: { tombstone: undefined, fresh: true, hold: '5 deletions began' },
    state: 'deletion-requested',
    reason: /^5 deletions began$/,
    stuck: false,
    step: undefined,
  },
  {
    name: 'prepared, the engine has read something older',
    sight: sight({ engine: { ...applied, current: false } }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    reason: /protection is being taken away/,
    step: undefined,
  },
  {
    name: 'prepared, the engine fails',
    sight: sight({ engine: { ...applied, sync: 'failed', message: 'no such kind' } }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    reason: /cannot take its protection away: no such kind/,
    step: undefined,
  },
  {
    name: 'prepared and applied',
    sight: sight({ engine: applied }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'prepared and applied, but the cluster has not been listed',
    sight: sight({ engine: applied }),
    deletion: deletion({}, false),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'prepared, no word of the engine, seen on the cluster',
    sight: sight({ engine: undefined, mattermost: { ...MATTERMOST, leaving: true } }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'prepared, no word of the engine, not seen on the cluster',
    sight: sight({ engine: undefined }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'its guarded database is not told yet',
    sight: sight({ engine: applied, resources: [resource('Cluster', 'progressing', 'not processed')] }),
    deletion: deletion(own('aws-rds-postgres')),
    state: 'deletion-in-progress',
    reason: /^Cluster cluster-1: not processed/,
    step: undefined,
  },
  {
    name: 'its guarded database is never told',
    sight: sight({ engine: applied, resources: [resource('Cluster', 'progressing')] }),
    after: 31 * 60_000,
    deletion: deletion(own('aws-rds-postgres')),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'a database that is kept needs not be told',
    sight: sight({ engine: applied, resources: [resource('Cluster', 'progressing')] }),
    deletion: deletion({ ...own('aws-rds-postgres'), ...KEEPS }),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'nothing was ever applied, and the engine has done all it can with the last manifest',
    sight: sight({ ...gone, engine: applied }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'nothing was ever applied, and the engine is at it',
    sight: sight({ ...gone, engine: { ...applied, sync: 'progressing' } }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'nothing was ever applied, and the engine fails',
    sight: sight({ ...gone, engine: { ...applied, sync: 'failed' } }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'nothing was ever applied, and the engine has failed for a minute',
    sight: sight({ ...gone, engine: { ...applied, sync: 'failed' } }),
    after: 61_000,
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'nothing was ever applied, and the engine may still apply what it read before',
    sight: sight({ ...gone, engine: { ...applied, current: false } }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'nothing was ever applied, no word of the engine',
    sight: sight({ ...gone, engine: undefined }),
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'nothing was ever applied, no word of the engine for a minute',
    sight: sight({ ...gone, engine: undefined }),
    after: 61_000,
    deletion: deletion(),
    state: 'deletion-in-progress',
    step: 'empty',
  },
  {
    name: 'emptied, Mattermost is there',
    sight: sight({ namespace: 'terminating' }),
    deletion: deletion(EMPTIED),
    state: 'deletion-in-progress',
    reason: /Mattermost is being removed/,
    step: undefined,
  },
  {
    name: 'emptied, its data goes',
    sight: sight({
      mattermost: undefined,
      namespace: 'terminating',
      resources: [resource('Cluster', 'progressing', 'deleting')],
    }),
    deletion: deletion(EMPTIED),
    state: 'deletion-final-cleanup',
    reason: /^Cluster cluster-1: deleting/,
    step: undefined,
  },
  {
    name: 'emptied, the namespace goes',
    sight: sight({ mattermost: undefined, resources: [], namespace: 'terminating' }),
    deletion: deletion(EMPTIED),
    state: 'deletion-final-cleanup',
    step: undefined,
  },
  {
    name: 'gone',
    sight: sight({ ...gone, engine: applied }),
    deletion: deletion(EMPTIED),
    state: 'deletion-final-cleanup',
    step: 'finish',
  },
  {
    name: 'not there, while the engine still applies what it read before',
    sight: sight({ ...gone, engine: { ...applied, current: false } }),
    deletion: deletion(EMPTIED),
    state: 'deletion-final-cleanup',
    step: undefined,
  },
  {
    name: 'gone, no word of the engine for a minute',
    sight: sight(gone),
    after: 61_000,
    deletion: deletion(EMPTIED),
    state: 'deletion-final-cleanup',
    step: 'finish',
  },
  {
    name: 'gone but for its namespace, which the engine has not removed yet',
    sight: sight({ mattermost: undefined, engine: applied }),
    deletion: deletion(EMPTIED),
    state: 'deletion-final-cleanup',
    step: undefined,
  },
  {
    name: 'gone, or not listed yet',
    sight: sight(gone),
    deletion: deletion(EMPTIED, false),
    state: 'deletion-in-progress',
    step: undefined,
  },
  {
    name: 'its database stays with its namespace',
    sight: sight({ mattermost: undefined, engine: applied, resources: [resource('Cluster', 'suspended')] }),
    deletion: deletion({ ...EMPTIED, ...KEEPS }),
    state: 'deletion-final-cleanup',
    step: 'finish',
  },
  {
    name: 'its database stays, something else is still there',
    sight: sight({
      mattermost: undefined,
      resources: [resource('Cluster', 'suspended'), resource('Bucket', 'progressing')],
    }),
    deletion: deletion({ ...EMPTIED, ...KEEPS }),
    state: 'deletion-final-cleanup',
    step: undefined,
  },
]

test('each step waits until what is seen allows it', async (t) => {
  const leaving = installation('acme', 1, {
    operation: { kind: 'deletion', generation: 2, requestedAt: CREATED_AT },
  })
  for (const { name, after = 1_000, ...item } of DELETIONS) {
    const { sight: seen, deletion } = item
    const now = START + after
    const verdict = judge({ installation: leaving, sight: seen, deletion, now, deadlines: DEADLINES })
    t.equal(verdict.state, item.state, name)
    t.equal(verdict.removalStep, item.step, `${name}: step`)
    t.equal(verdict.completed, false, `${name}: only its documents going completes it`)
    if (item.reason !== undefined) t.match(verdict.reason, item.reason, `${name}: reason`)
    if (item.stuck !== undefined) t.equal(verdict.stuck, item.stuck, `${name}: stuck`)
  }
})

test('what cannot be known now is looked at again when time has told', async (t) => {
  const silent = DELETIONS.find(({ name }) => /no word of the engine$/.test(name) && /nothing/.test(name))
  t.ok(silent)
  if (silent === undefined) return
  const leaving = installation('acme', 1, {
    operation: { kind: 'deletion', generation: 2, requestedAt: CREATED_AT },
  })
  const { sight: seen, deletion } = silent
  const verdict = judge({
    installation: leaving,
    sight: seen,
    deletion,
    now: START + 1,
    deadlines: DEADLINES,
  })
  t.equal(verdict.judgeAgainAt, START + 60_000)
})

test('a pending deletion whose time is up says why it waits', async (t) => {
  const pending = installation('acme', 1, {
    operation: { kind: 'deletion-pending', generation: 2, requestedAt: CREATED_AT },
    deletion: { pendingExpiresAt: new Date(START + 10_000).toISOString() },
    hibernated: true,
  })
  const deletion = { tombstone: undefined, fresh: true, hold: 'locked' }
  const base = {
    installation: pending,
    sight: sight(),
    completedGeneration: 2,
    deadlines: DEADLINES,
    deletion,
  }
  t.match(judge({ ...base, now: START }), { state: 'deletion-pending', judgeAgainAt: START + 10_000 })
  t.not(judge({ ...base, now: START }).reason, 'locked')
  t.match(judge({ ...base, now: START + 10_000 }), { state: 'deletion-pending', reason: 'locked' })
})
