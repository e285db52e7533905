/**
 * The health rules of src/fleet/observed for Flux: CEL, read in the order inProgress, failed, current; none of them true means in
 * progress. A table of cases holds both together. CEL has no `suspended`: what stands still because that is wanted is
 * current. Before that Flux itself takes every object with an old `status.observedGeneration` for in progress.
 */
import { BEGINNING, FAILING, PAUSED, WORKING } from '../../fleet/observed/crossplane.ts'
import type { HealthRule } from '../../fleet/observed/kinds.ts'

export interface HealthExpressions {
  readonly inProgress: string
  readonly failed: string
  readonly current: string
}

const DELETED = 'has(metadata.deletionTimestamp)'

const IS_PAUSED = any(
  `(has(metadata.annotations) && '${PAUSED}' in metadata.annotations && metadata.annotations['${PAUSED}'] == 'true')`,
  '(has(spec.managementPolicies) && size(spec.managementPolicies) == 0)',
  condition('Synced', "has(c.reason) && c.reason == 'ReconcilePaused'"),
)
const IS_OBSERVED =
  "c.status == 'True' && (!has(c.observedGeneration) || c.observedGeneration == metadata.generation)"
const IS_THERE = all(condition('Ready', "c.status == 'True'"), condition('Synced', IS_OBSERVED))
const SAID =
  "(has(status.atProvider) && has(status.atProvider.status) ? status.atProvider.status : has(status.atProvider) && has(status.atProvider.dbInstanceStatus) ? status.atProvider.dbInstanceStatus : 'available')"

export const HEALTH_CEL: Readonly<Record<HealthRule, HealthExpressions>> = {
  mattermost: {
    inProgress: any(
      DELETED,
      '!has(status.state)',
      '!has(status.observedGeneration)',
      'status.observedGeneration != metadata.generation',
    ),
    failed: "has(status.error) && status.error != ''",
    current: "status.state == 'stable'",
  },
  'managed-resource': {
    inProgress: any(DELETED, '!has(status.conditions)', 'size(status.conditions) == 0'),
    failed: all(
      `!${IS_PAUSED}`,
      any(
        condition('Synced', "c.status == 'False'"),
        condition('LastAsyncOperation', "c.status == 'False'"),
        all(IS_THERE, `!(${SAID} in ${listOf([...WORKING, ...BEGINNING])})`),
      ),
    ),
    current: any(IS_PAUSED, all(IS_THERE, `${SAID} in ${listOf(WORKING)}`)),
  },
  ready: {
    inProgress: any(DELETED, '!has(status.conditions)', `!${condition('Ready', 'true')}`),
    failed: condition('Ready', `c.status != 'True' && has(c.reason) && c.reason in ${listOf(FAILING)}`),
    current: condition('Ready', "c.status == 'True'"),
  },
}

function condition(type: string, test: string): string {
  return `status.conditions.exists(c, c.type == '${type}' && (${test}))`
}

function any(...tests: readonly string[]): string {
  return `(${tests.join(' || ')})`
}

function all(...tests: readonly string[]): string {
  return `(${tests.join(' && ')})`
}

function listOf(words: readonly string[]): string {
  return `[${words.map((word) => `'${word}'`).join(', ')}]`
}
