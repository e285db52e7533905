/** Operations on a cluster as a whole: try its creation again, provision its utilities, delete it. */
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { Cluster, PgbouncerSettings, UtilityVersion } from '../../intents.ts'
import type { Transaction } from '../../transaction.ts'
import { CHART_VERSION, UTILITIES } from '../../utilities.ts'
import { changeLine, lines } from '../text.ts'
import {
  type ClusterStateOf,
  requireCluster,
  requireState,
  requireUnlocked,
  result,
  withOperation,
} from './common.ts'

interface ClusterRequest {
  readonly id: Id
  readonly stateOf: ClusterStateOf
}

/** Asks for the creation once more. */
export function retryCluster({ id, stateOf }: ClusterRequest): Transaction<Cluster> {
  return (fleet, context) => {
    const before = requireCluster(fleet, id)
    requireUnlocked(before)
    const state = requireState(before, 'creation', stateOf)
    const after = state === 'creation-requested' ? before : withOperation(before, 'creation', context.now)
    return result(
      after,
      before,
      `Retry creation of cluster ${before.metadata.name}`,
      `State: ${state} → creation-requested`,
    )
  }
}

/** What a provisioning says of one utility. Blank: it stays as it is. */
export type AskedUtilities = Readonly<Record<string, { readonly chart: string; readonly valuesPath: string }>>

export interface ProvisionCluster extends ClusterRequest {
  /** Undefined: nothing was said about utilities. */
  readonly utilities: AskedUtilities | undefined
  readonly pgbouncer: Partial<PgbouncerSettings>
  readonly defaults: PgbouncerSettings
  /** Versions seen running, when whatever runs shall be applied again. */
  readonly reapply: Readonly<Record<string, UtilityVersion>> | undefined
}

/** Applies the utilities again, with new versions where some are given. */
export function provisionCluster(input: ProvisionCluster): Transaction<Cluster> {
  return (fleet, context) => {
    const before = requireCluster(fleet, input.id)
    requireUnlocked(before)
    requireState(before, 'provisioning', input.stateOf)
    const pgbouncer = pgbouncerOf(before, input)
    const after = withOperation(before, 'provisioning', context.now, {
      ...utilitiesOf(fleet, before, input),
      ...(pgbouncer === undefined ? {} : { pgbouncer }),
    })
    const body = lines(
      changeLine('Utilities', charts(before), charts(after)),
      changeLine('PgBouncer', before.spec.pgbouncer, pgbouncer),
    )
    return result(after, before, `Provision cluster ${before.metadata.name}`, body)
  }
}

function utilitiesOf(
  fleet: Fleet,
  { spec }: Cluster,
  { utilities: asked, reapply }: ProvisionCluster,
): Pick<Cluster['spec'], 'utilities' | 'unchangedUtilities'> {
  const running = Object.entries(reapply ?? {}).filter(
    ([name, { chart }]) => usualChart(name) !== undefined && CHART_VERSION.test(chart),
  )
  const wanted: Record<string, UtilityVersion> = { ...spec.utilities, ...Object.fromEntries(running) }
  if (asked === undefined) return { utilities: wanted }
  const pinned: Readonly<Record<string, UtilityVersion>> = fleet.settings.spec.utilities ?? {}
  for (const [name, { chart, valuesPath }] of Object.entries(asked)) {
    if (chart === '' && valuesPath === '') continue
    const present = wanted[name]?.chart ?? pinned[name]?.chart ?? usualChart(name)
    const next = chart || present
    if (next !== undefined) wanted[name] = { ...wanted[name], chart: next, valuesPath }
  }
  const unchanged = Object.keys(asked).filter(
    (name) => asked[name]?.chart === '' && asked[name].valuesPath === '',
  )
  return { utilities: wanted, unchangedUtilities: unchanged.sort() }
}

/** Undefined: the API knows no such utility. */
function usualChart(name: string): string | undefined {
  return UTILITIES.find((utility) => utility.name === name)?.chart
}

function pgbouncerOf(
  { spec }: Cluster,
  { pgbouncer, defaults }: ProvisionCluster,
): PgbouncerSettings | undefined {
  if (Object.keys(pgbouncer).length === 0) return spec.pgbouncer
  return { ...(spec.pgbouncer ?? defaults), ...pgbouncer }
}

function charts({ spec }: Cluster): readonly string[] {
  return Object.entries(spec.utilities ?? {}).map(([name, utility]) => `${name} ${utility.chart}`)
}

/** Asks for the deletion. Refused while installations are there: they go first, each with its own window. */
export function deleteCluster({ id, stateOf }: ClusterRequest): Transaction<Cluster> {
  return (fleet, context) => {
    const before = requireCluster(fleet, id)
    requireUnlocked(before)
    const state = requireState(before, 'deletion', stateOf)
    const { name } = before.metadata
    const { installations } = fleet.occupancy(name)
    if (installations > 0)
      throw new FleetError(
        'guarded',
        `Cluster ${name} has ${installations} installation${installations === 1 ? '' : 's'}; move or delete them first.`,
      )
    const after = state === 'deletion-requested' ? before : withOperation(before, 'deletion', context.now)
    return result(after, before, `Delete cluster ${name}`, `State: ${state} → deletion-requested`)
  }
}
