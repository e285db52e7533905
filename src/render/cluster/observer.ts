/** What Fleetwright may do on a cluster: look. */
import type { TemplateSet } from '../template-set.ts'

export const OBSERVER = { name: 'fleetwright-observer', namespace: 'fleetwright' } as const

/** ServiceAccount, ClusterRole and ClusterRoleBinding in a namespace of their own. */
export function observer(templates: TemplateSet): string {
  return templates.render('cluster/manifests/observer', OBSERVER)
}
