/** The utilities of the provisioning API: names, names on the wire, charts of clusters it creates when nobody says which. */
import type { UtilityName } from './intents.ts'

export interface Utility {
  readonly name: UtilityName
  readonly wireName: string
  readonly chart: string
}

/** One version, never a range; or left alone. The schemas have the same pattern. */
export const CHART_VERSION = /^(unmanaged|v?[0-9]+\.[0-9]+\.[0-9]+([-+][0-9A-Za-z.+-]+)?)$/

/** What the API answers when it was given none. */
export function valuesPathOf(name: UtilityName): string {
  return `${name}/values.yaml`
}

export const UTILITIES: readonly Utility[] = [
  { name: 'prometheus-operator', wireName: 'PrometheusOperator', chart: '54.2.2' },
  { name: 'thanos', wireName: 'Thanos', chart: '13.2.2' },
  { name: 'nginx', wireName: 'Nginx', chart: '4.11.1' },
  { name: 'nginx-internal', wireName: 'NginxInternal', chart: '4.11.1' },
  { name: 'fluentbit', wireName: 'Fluentbit', chart: '0.31.0' },
  { name: 'teleport', wireName: 'Teleport', chart: '12.4.34' },
  { name: 'pgbouncer', wireName: 'Pgbouncer', chart: '1.2.1' },
  { name: 'promtail', wireName: 'Promtail', chart: '6.15.5' },
  { name: 'rtcd', wireName: 'Rtcd', chart: '1.3.0' },
  { name: 'node-problem-detector', wireName: 'NodeProblemDetector', chart: '2.3.12' },
  { name: 'metrics-server', wireName: 'MetricsServer', chart: '3.12.1' },
  { name: 'velero', wireName: 'Velero', chart: '5.1.5' },
  { name: 'cloudprober', wireName: 'Cloudprober', chart: '0.1.4' },
]
