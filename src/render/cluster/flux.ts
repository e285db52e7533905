/** A cluster for Flux: a GitRepository and a Kustomization a shard, a HelmRelease a utility. */
import { SHARDS } from '../../fleet/ids.ts'
import type { Cluster, FleetSettings } from '../../fleet/intents.ts'
import { SYSTEM_CONTROL_FOLDER, SYSTEM_MANIFESTS_FOLDER } from '../../fleet/paths.ts'
import type { TemplateSet } from '../template-set.ts'
import { controlAccess } from './control-access.ts'
import { CONTROL_REF, FLEET_NAME, FLUX_NAMESPACE, kubeconfigOf, loginOf, objectNameOf } from './names.ts'
import type { Utility } from './utilities.ts'

/** What Flux shall not take for manifests. */
const INTENTS = 'installation.yaml\n'

interface Source {
  readonly name: string
  readonly ref: string
  readonly ignore: string | false
}

interface Kustomization {
  readonly name: string
  readonly source: string
  readonly path: string
  /** Where it is applied; false: on the cluster that Flux runs on. */
  readonly kubeconfig: string | false
}

/** What applies `control/flux`, and Fleetwright's own access: what a person applies once. */
export function fluxBootstrap(templates: TemplateSet, settings: FleetSettings['spec']): string {
  const introduction = templates.render('cluster/flux/introduction', {})
  const objects = writer(templates, settings, undefined)
  const source = objects.source({ name: FLEET_NAME, ref: CONTROL_REF, ignore: false })
  const kustomization = objects.kustomization({
    name: FLEET_NAME,
    source: FLEET_NAME,
    path: './flux',
    kubeconfig: false,
  })
  return introduction + [...controlAccess(templates, settings, 'flux'), source, kustomization].join('---\n')
}

/** First the system, then the shards. */
export function fluxControl(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
): string {
  const { name } = cluster.metadata
  const objects = writer(templates, settings, cluster)
  const kubeconfig = kubeconfigOf(cluster) ?? false
  const system = objectNameOf(cluster, 'system')
  const shards = SHARDS.flatMap((shard) => {
    const unit = objectNameOf(cluster, `shard-${shard}`)
    return [
      objects.source({ name: unit, ref: `refs/heads/shard/${name}/${shard}`, ignore: INTENTS }),
      objects.kustomization({ name: unit, source: unit, path: './', kubeconfig }),
    ]
  })
  return [
    objects.source({ name: system, ref: `refs/heads/shard/${name}/system`, ignore: false }),
    // Objects of Flux itself: they belong where Flux runs, and name the cluster they install on.
    objects.kustomization({
      name: system,
      source: system,
      path: pathInSystem(SYSTEM_CONTROL_FOLDER),
      kubeconfig: false,
    }),
    ...shards,
  ].join('---\n')
}

/** Is on the same ref as the folder it stands in, and is applied on the cluster itself. */
export function fluxManifests(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
): string {
  return writer(templates, settings, cluster).kustomization({
    name: objectNameOf(cluster, 'manifests'),
    source: objectNameOf(cluster, 'system'),
    path: pathInSystem(SYSTEM_MANIFESTS_FOLDER),
    kubeconfig: kubeconfigOf(cluster) ?? false,
  })
}

/** The tree of the ref is the folder `system` itself. */
function pathInSystem(folder: string): string {
  return folder.replace(/^system\//, './')
}

function writer(templates: TemplateSet, settings: FleetSettings['spec'], cluster: Cluster | undefined) {
  const shared = {
    cluster: cluster?.metadata.name ?? false,
    namespace: FLUX_NAMESPACE,
    repository: settings.repository.url,
    login: loginOf(settings),
  }
  return {
    source: (source: Source): string => templates.render('cluster/flux/source', { ...shared, ...source }),
    kustomization: (kustomization: Kustomization): string =>
      templates.render('cluster/flux/kustomization', { ...shared, ...kustomization }),
  }
}

export function fluxUtility(templates: TemplateSet, cluster: Cluster, utility: Utility): string {
  return templates.render('cluster/flux/utility', {
    cluster: cluster.metadata.name,
    namespace: FLUX_NAMESPACE,
    name: objectNameOf(cluster, utility.name),
    kubeconfig: kubeconfigOf(cluster) ?? false,
    oci: utility.repository.startsWith('oci://'),
    utility,
    values: Object.keys(utility.values).length > 0 && utility.values,
  })
}
