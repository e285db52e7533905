/** What is installed on clusters beside installations. */
import type { JsonObject } from './common.ts'

/** What can be installed on clusters beside installations; a template set knows the chart of each. In the order they are needed. */
export const UTILITY_NAMES = [
  'mattermost-operator',
  'external-secrets',
  'crossplane',
  'cloudnative-pg',
  'pgbouncer',
  'nginx',
  'nginx-internal',
  'external-dns',
  'prometheus-operator',
  'thanos',
  'fluentbit',
  'teleport',
  'promtail',
  'node-problem-detector',
  'rtcd',
  'metrics-server',
  'velero',
  'cloudprober',
] as const
export type UtilityName = (typeof UTILITY_NAMES)[number]

export interface UtilityVersion {
  /** Chart version, or `unmanaged`: what is installed is left alone. */
  readonly chart: string
  /** As the API was given it: answered, not read. What is rendered comes from git only. */
  readonly valuesPath?: string
  /** Where the chart is, when the template set knows no public place or another is wanted. */
  readonly repository?: string
  /** Helm values, over those of the template set. */
  readonly values?: JsonObject
}
export type Utilities = Readonly<Partial<Record<UtilityName, UtilityVersion>>>
