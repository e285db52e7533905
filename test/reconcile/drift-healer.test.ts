import { type Test, test } from 'tap'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Id } from '../../src/fleet/ids.ts'
import type { EngineName, FleetSettings, Group } from '../../src/fleet/intents.ts'
import type { ResourceKind } from '../../src/fleet/observed/objects.ts'
import { clusterPath, groupPath, installationPath } from '../../src/fleet/paths.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { Drift } from '../../src/ports/drifts.ts'
import { HEAL_PAUSES_MILLISECONDS, policyOf, startDriftHealer } from '../../src/reconcile/drift-healer.ts'
import { cluster, group, id, installation, settings } from '../support/intents.ts'

type Policy = 'report' | 'heal' | undefined

function fleetOf(
  engine: EngineName,
  fleet: Policy,
  ofGroup: Policy,
  spec: Partial<FleetSettings['spec']> = {},
) {
  const index = new FleetIndex(
    settings({ engine, ...spec, ...(fleet === undefined ? {} : { drift: { policy: fleet } }) }),
  )
  const ring: Group = group('ring-1', 700, ofGroup === undefined ? {} : { drift: { policy: ofGroup } })
  index.apply([
    { path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 500) },
    { path: groupPath('ring-1'), before: undefined, after: ring },
    ...[1, 2, 33].map((number) => ({
      path: installationPath('prod-1', id(number)),
      before: undefined,
      after: installation(`acme-${number}`, number, {
        placement: { cluster: 'prod-1' },
        ...(number === 1 ? { group: 'ring-1' } : {}),
      }),
    })),
  ])
  return index
}

test('the policy of the group goes before that of the fleet, and the default is to report', async (t) => {
  const table: readonly (readonly [Policy, Policy, Policy])[] = [
    [undefined, undefined, 'report'],
    ['heal', undefined, 'heal'],
    ['heal', 'report', 'report'],
    ['report', 'heal', 'heal'],
    [undefined, 'heal', 'heal'],
  ]
  for (const [fleet, ofGroup, expected] of table)
    t.equal(policyOf(fleetOf('flux', fleet, ofGroup), id(1)), expected, `${fleet} ${ofGroup}`)
  t.equal(policyOf(fleetOf('flux', 'report', 'heal'), id(2)), 'report', 'not a member')
})

function stage(t: Test, engine: EngineName, policy: Policy, spec: Partial<FleetSettings['spec']> = {}) {
  const told: string[] = []
  const errors: unknown[] = []
  const drifting = new Set<Id>()
  const fleet = fleetOf(engine, policy, undefined, spec)
  let now = 1_000_000
  const state = { connected: true, fails: false }
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: (_milliseconds, signal) =>
      new Promise((resolve, reject) => {
        const timer = setTimeout(resolve, 1)
        signal?.addEventListener('abort', () => {
          clearTimeout(timer)
          reject(signal.reason)
        })
      }),
  }
  const healer = startDriftHealer({
    writer: { fleet },
    drifts: { of: (one) => (drifting.has(one) ? [{} as Drift] : []) },
    api: {
      get contact() {
        return { connected: state.connected, lastContact: undefined }
      },
      async annotate(kind: ResourceKind, namespace, name, annotations) {
        told.push(
          `${kind.kind} ${namespace}/${name} ${Object.keys(annotations)} ${Object.values(annotations)}`,
        )
        if (state.fails) throw new Error('forbidden')
      },
    },
    clock,
    onError: (error) => errors.push(error),
  })
  t.teardown(() => healer.close())
  return {
    told,
    errors,
    healer,
    state,
    drift(number: number, there = true) {
      if (there) drifting.add(id(number))
      else drifting.delete(id(number))
      healer.changed('prod-1', id(number))
    },
    /** Time goes on, and the loop has looked. */
    async after(milliseconds: number) {
      now += milliseconds
      await new Promise((resolve) => setTimeout(resolve, 25))
    },
  }
}

test('Flux is asked once for the drift of a shard, Argo CD once an installation', async (t) => {
  const flux = stage(t, 'flux', 'heal')
  // Ids 1 and 33 have the same first letter.
  flux.drift(1)
  flux.drift(33)
  flux.drift(2)
  await flux.after(0)
  const [first, second, ...more] = flux.told.sort()
  t.strictSame(more, [])
  for (const [told, number] of [
    [first, 1],
    [second, 2],
  ] as const)
    t.match(
      told,
      new RegExp(
        `^Kustomization flux-system/prod-1-shard-${id(number)[0]} reconcile.fluxcd.io/requestedAt \\d+$`,
      ),
    )
  const argo = stage(t, 'argocd', 'heal')
  argo.drift(1)
  await argo.after(0)
  t.strictSame(argo.told, [`Application argocd/mm-${id(1)} argocd.argoproj.io/refresh hard`])
})

test('drift that stays is asked for later each time, a few times, and then left to people', async (t) => {
  const { told, drift, after, healer } = stage(t, 'flux', 'heal')
  const one = { cluster: 'prod-1', installation: id(1) }
  t.equal(healer.healing(one), undefined)
  drift(1)
  await after(0)
  t.match(healer.healing(one), { times: 1, gaveUp: false })
  for (const [at, pause] of HEAL_PAUSES_MILLISECONDS.entries()) {
    await after(pause - 1_000)
    t.equal(told.length, at + 1, 'not yet')
    await after(1_000)
    t.equal(told.length, at + 2)
  }
  t.match(healer.healing(one), { times: 6, gaveUp: true })
  await after(3_600_000)
  t.equal(told.length, 6, 'enough')
  t.equal(new Set(told).size, 6, 'each time with a new token')
})

test('what comes back at once is held to the same pauses; what was quiet for long starts anew', async (t) => {
  const { told, drift, after } = stage(t, 'flux', 'heal')
  drift(1)
  await after(0)
  drift(1, false)
  await after(1_000)
  drift(1)
  await after(1_000)
  t.equal(told.length, 1, 'somebody fights the engine')
  await after(30_000)
  t.equal(told.length, 2)
  drift(1, false)
  await after(900_000)
  drift(1)
  await after(0)
  t.equal(told.length, 3)
})

test('nobody is asked where drift is only reported, nudges are unwanted, or nobody is there', async (t) => {
  const report = stage(t, 'flux', 'report')
  report.drift(1)
  await report.after(60_000)
  t.strictSame(report.told, [])
  const unwanted = stage(t, 'flux', 'heal', { nudgeEngines: false })
  unwanted.drift(1)
  await unwanted.after(60_000)
  t.strictSame(unwanted.told, [])
  const away = stage(t, 'flux', 'heal')
  away.state.connected = false
  away.drift(1)
  await away.after(60_000)
  t.strictSame(away.told, [])
  away.state.connected = true
  await away.after(0)
  t.equal(away.told.length, 1, 'when it is there again')
})

test('an engine that refuses is reported, and not asked more often for it', async (t) => {
  const { told, errors, drift, after, state } = stage(t, 'flux', 'heal')
  state.fails = true
  drift(1)
  await after(0)
  await after(1_000)
  t.equal(told.length, 1)
  t.match(errors, [{ message: 'forbidden' }])
})
