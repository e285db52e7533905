/** A cluster for Argo CD: one Application an installation on the cluster's ref, one Application a utility. */
import type { Cluster, FleetSettings } from '../../fleet/intents.ts'
import { INFRASTRUCTURE_NAMESPACE } from '../../fleet/observed/cluster-infrastructure.ts'
import { SYSTEM_CONTROL_FOLDER, SYSTEM_MANIFESTS_FOLDER } from '../../fleet/paths.ts'
import type { TemplateSet } from '../template-set.ts'
import { controlAccess } from './control-access.ts'
import {
  ARGOCD_NAMESPACE,
  CONTROL_CLUSTER,
  CONTROL_REF,
  engineNameOf,
  FLEET_NAME,
  objectNameOf,
} from './names.ts'
import { OBSERVER } from './observer.ts'
import type { Utility } from './utilities.ts'

/** Ids have 26 characters, and so have the namespaces of installations. */
const INSTALLATION_NAMESPACES = '?'.repeat(26)
/** Where charts put what extends the API server. */
const KUBE_SYSTEM = 'kube-system'

/** What applies `control/argocd`, and Fleetwright's own access: what a person applies once. */
export function argocdBootstrap(templates: TemplateSet, settings: FleetSettings['spec']): string {
  const repository = settings.repository.url
  return [
    templates.render('cluster/argocd/project-fleet', {
      project: FLEET_NAME,
      namespace: ARGOCD_NAMESPACE,
      infrastructureNamespace: INFRASTRUCTURE_NAMESPACE,
      repository,
    }),
    ...controlAccess(templates, settings, 'argocd'),
    templates.render('cluster/argocd/directory', {
      cluster: false,
      name: FLEET_NAME,
      namespace: ARGOCD_NAMESPACE,
      project: FLEET_NAME,
      destination: CONTROL_CLUSTER,
      destinationNamespace: ARGOCD_NAMESPACE,
      repository,
      ref: CONTROL_REF,
      path: 'argocd',
    }),
  ].join('---\n')
}

/** Projects first, then what uses them. */
export function argocdControl(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
  utilities: readonly Utility[],
): string {
  const view = controlView(settings, cluster)
  const project = (kind: 'system' | 'manifests' | 'installations', more: object = {}): string =>
    templates.render(`cluster/argocd/project-${kind}`, {
      ...view,
      project: objectNameOf(cluster, kind),
      ...more,
    })
  return [
    project('system'),
    ...(utilities.length === 0 ? [] : [utilityProject(templates, cluster, utilities)]),
    project('manifests', { ownNamespace: OBSERVER.namespace }),
    project('installations', { installationNamespaces: INSTALLATION_NAMESPACES }),
    templates.render('cluster/argocd/directory', {
      ...view,
      name: objectNameOf(cluster, 'system'),
      project: objectNameOf(cluster, 'system'),
      path: SYSTEM_CONTROL_FOLDER,
      destination: CONTROL_CLUSTER,
      destinationNamespace: ARGOCD_NAMESPACE,
    }),
    templates.render('cluster/argocd/installations', {
      ...view,
      project: objectNameOf(cluster, 'installations'),
      // Go templates of the ApplicationSet, filled in by its controller: the folder is named by the id.
      template: { name: 'mm-{{.path.basename}}', namespace: '{{.path.basename}}', path: '{{.path.path}}' },
    }),
  ].join('---\n')
}

/** Is always there, so its folder is never empty: Argo CD removes the last object of a folder for nobody. */
export function argocdManifests(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
): string {
  return templates.render('cluster/argocd/directory', {
    ...controlView(settings, cluster),
    name: objectNameOf(cluster, 'manifests'),
    project: objectNameOf(cluster, 'manifests'),
    path: SYSTEM_MANIFESTS_FOLDER,
    destinationNamespace: OBSERVER.namespace,
  })
}

function controlView(settings: FleetSettings['spec'], cluster: Cluster) {
  return {
    cluster: cluster.metadata.name,
    namespace: ARGOCD_NAMESPACE,
    repository: settings.repository.url,
    ref: `refs/heads/cluster/${cluster.metadata.name}`,
    destination: engineNameOf(cluster),
  }
}

/** The charts of these utilities, in their namespaces only. */
function utilityProject(templates: TemplateSet, cluster: Cluster, utilities: readonly Utility[]): string {
  const destination = engineNameOf(cluster)
  const namespaces = unique([KUBE_SYSTEM, ...utilities.map(({ namespace }) => namespace)])
  return templates.render('cluster/argocd/project-utilities', {
    cluster: cluster.metadata.name,
    namespace: ARGOCD_NAMESPACE,
    project: objectNameOf(cluster, 'utilities'),
    repositories: unique(utilities.map(({ repository }) => repositoryOf(repository))),
    destinations: namespaces.map((namespace) => ({ name: destination, namespace })),
  })
}

export function argocdUtility(templates: TemplateSet, cluster: Cluster, utility: Utility): string {
  return templates.render('cluster/argocd/utility', {
    cluster: cluster.metadata.name,
    destination: engineNameOf(cluster),
    namespace: ARGOCD_NAMESPACE,
    application: objectNameOf(cluster, utility.name),
    project: objectNameOf(cluster, 'utilities'),
    utility: { ...utility, repository: repositoryOf(utility.repository) },
    values: Object.keys(utility.values).length > 0 && utility.values,
  })
}

/** Argo CD names OCI registries without their scheme. */
function repositoryOf(repository: string): string {
  return repository.replace(/^oci:\/\//, '')
}

function unique(texts: readonly string[]): readonly string[] {
  return [...new Set(texts)].sort()
}
