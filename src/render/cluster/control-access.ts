/**
 * What Fleetwright may do on the control cluster: look at the engines' objects and, unless the fleet does not want it, annotate
 * them; look at what Crossplane makes clusters of.
 */
import type { EngineName, FleetSettings } from '../../fleet/intents.ts'
import { HELM_RELEASE } from '../../fleet/observed/charts.ts'
import {
  INFRASTRUCTURE_KINDS,
  INFRASTRUCTURE_NAMESPACE,
} from '../../fleet/observed/cluster-infrastructure.ts'
import { ENGINE_NAMESPACES } from '../../fleet/observed/engine-units.ts'
import { APPLICATION, APPLICATION_SET, GIT_REPOSITORY, KUSTOMIZATION } from '../../fleet/observed/engines.ts'
import type { ResourceKind } from '../../fleet/observed/objects.ts'
import type { TemplateSet } from '../template-set.ts'

/** In the namespace of the fleet's engine: a fleet with both engines has one. */
const ACCOUNT = 'fleetwright'
const OBSERVER_ROLE = 'fleetwright-observer'
const NUDGE_ROLE = 'fleetwright-nudge'
const LOOK = ['get', 'list', 'watch']

const KINDS = {
  argocd: [APPLICATION, APPLICATION_SET],
  flux: [GIT_REPOSITORY, KUSTOMIZATION],
} as const satisfies Record<EngineName, readonly ResourceKind[]>
/** Only looked at. */
const OTHERS = { argocd: [], flux: [HELM_RELEASE] } as const satisfies Record<
  EngineName,
  readonly ResourceKind[]
>

/**
 * Documents, each with its text: the ServiceAccount where the fleet's engine is, a Role to look and one to nudge; once for the fleet
 * the namespace of what clusters are made of, and a Role to look there.
 */
export function controlAccess(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  engine: EngineName,
): readonly string[] {
  const account = { name: ACCOUNT, namespace: ENGINE_NAMESPACES[settings.engine] }
  const role = (
    name: string,
    namespace: string,
    kinds: readonly ResourceKind[],
    verbs: readonly string[],
  ): string =>
    templates.render('cluster/control/role', {
      account,
      role: name,
      namespace,
      rules: kinds.map(({ group, plural }) => ({ apiGroups: [group], resources: [plural], verbs })),
    })
  const namespace = ENGINE_NAMESPACES[engine]
  const infrastructure = INFRASTRUCTURE_KINDS.map(({ kind }) => kind)
  return [
    ...(settings.engine === engine
      ? [
          templates.render('cluster/control/account', { account }),
          templates.render('cluster/control/namespace', { name: INFRASTRUCTURE_NAMESPACE }),
          role(OBSERVER_ROLE, INFRASTRUCTURE_NAMESPACE, infrastructure, LOOK),
        ]
      : []),
    role(OBSERVER_ROLE, namespace, [...KINDS[engine], ...OTHERS[engine]], LOOK),
    ...(settings.nudgeEngines === false ? [] : [role(NUDGE_ROLE, namespace, KINDS[engine], ['patch'])]),
  ]
}
