/** What Fleetwright may do on the control cluster: look at the engines' objects and, unless the fleet does not want it, annotate them. */
import type { EngineName, FleetSettings } from '../../fleet/intents.ts'
import { HELM_RELEASE } from '../../fleet/observed/charts.ts'
import { ENGINE_NAMESPACES } from '../../fleet/observed/engine-units.ts'
import { APPLICATION, APPLICATION_SET, GIT_REPOSITORY, KUSTOMIZATION } from '../../fleet/observed/engines.ts'
import type { ResourceKind } from '../../fleet/observed/objects.ts'
import type { TemplateSet } from '../template-set.ts'

/** In the namespace of the fleet's engine: a fleet with both engines has one. */
const ACCOUNT = 'fleetwright'
const OBSERVER_ROLE = 'fleetwright-observer'
const NUDGE_ROLE = 'fleetwright-nudge'

const KINDS = {
  argocd: [APPLICATION, APPLICATION_SET],
  flux: [GIT_REPOSITORY, KUSTOMIZATION],
} as const satisfies Record<EngineName, readonly ResourceKind[]>
/** Only looked at. */
const OTHERS = { argocd: [], flux: [HELM_RELEASE] } as const satisfies Record<
  EngineName,
  readonly ResourceKind[]
>

/** Documents, each with its text: the ServiceAccount where the fleet's engine is, a Role to look and one to nudge. */
export function controlAccess(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  engine: EngineName,
): readonly string[] {
  const account = { name: ACCOUNT, namespace: ENGINE_NAMESPACES[settings.engine] }
  const role = (name: string, kinds: readonly ResourceKind[], verbs: readonly string[]): string =>
    templates.render('cluster/control/role', {
      account,
      role: name,
      namespace: ENGINE_NAMESPACES[engine],
      rules: kinds.map(({ group, plural }) => ({ apiGroups: [group], resources: [plural], verbs })),
    })
  return [
    ...(settings.engine === engine ? [templates.render('cluster/control/account', { account })] : []),
    role(OBSERVER_ROLE, [...KINDS[engine], ...OTHERS[engine]], ['get', 'list', 'watch']),
    ...(settings.nudgeEngines === false ? [] : [role(NUDGE_ROLE, KINDS[engine], ['patch'])]),
  ]
}
