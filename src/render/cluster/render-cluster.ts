/** What a cluster needs beside its installations: its utilities, its own manifests, and what points the engine at it. */
import { FleetError } from '../../fleet/errors.ts'
import type { FileChange } from '../../fleet/files.ts'
import type { Cluster, FleetSettings } from '../../fleet/intents.ts'
import { controlPath, systemControlPath, systemManifestPath, systemReadmePath } from '../../fleet/paths.ts'
import type { TemplateSet, TemplateSets } from '../template-set.ts'
import { argocdControl, argocdManifests, argocdUtility } from './argocd.ts'
import { fluxControl, fluxManifests, fluxUtility } from './flux.ts'
import { observer } from './observer.ts'
import { type CatalogueEntry, catalogueOf, type Utility } from './utilities.ts'

/**
 * All rendered files of a cluster but those of its installations; none when it is deleted.
 * @throws FleetError `invalid-template`, `invalid-document`
 */
export function renderCluster(
  sets: TemplateSets,
  { spec: settings }: FleetSettings,
  cluster: Cluster,
): readonly FileChange[] {
  if (cluster.metadata.deletedAt !== undefined) return []
  const { name } = cluster.metadata
  const templates = templatesOf(sets, cluster)
  const entries = catalogueOf(templates, settings, cluster)
  const engine = cluster.spec.engine ?? settings.engine
  return [
    ...(engine === 'argocd'
      ? argocdFiles(templates, settings, cluster, entries)
      : fluxFiles(templates, settings, cluster, entries)),
    { path: systemReadmePath(name), text: readme(templates, entries) },
    { path: systemManifestPath(name, 'observer'), text: observer(templates) },
  ]
}

/** An unmanaged utility has no Application: Argo CD leaves what it installed when the Application goes. */
function argocdFiles(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
  entries: readonly CatalogueEntry[],
): readonly FileChange[] {
  const managed = utilitiesAmong(entries).filter(({ unmanaged }) => !unmanaged)
  const { name } = cluster.metadata
  return [
    { path: controlPath('argocd', name), text: argocdControl(templates, settings, cluster, managed) },
    { path: systemControlPath(name, 'manifests'), text: argocdManifests(templates, settings, cluster) },
    ...managed.map((utility) => ({
      path: systemControlPath(name, utility.name),
      text: argocdUtility(templates, cluster, utility),
    })),
  ]
}

/** An unmanaged utility has a suspended HelmRelease: one that only went from git would go on upgrading and healing. */
function fluxFiles(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
  entries: readonly CatalogueEntry[],
): readonly FileChange[] {
  const { name } = cluster.metadata
  return [
    { path: controlPath('flux', name), text: fluxControl(templates, settings, cluster) },
    { path: systemControlPath(name, 'manifests'), text: fluxManifests(templates, settings, cluster) },
    ...utilitiesAmong(entries).map((utility) => ({
      path: systemControlPath(name, utility.name),
      text: fluxUtility(templates, cluster, utility),
    })),
  ]
}

function utilitiesAmong(entries: readonly CatalogueEntry[]): readonly Utility[] {
  return entries.flatMap(({ utility }) => (utility === undefined ? [] : [utility]))
}

/** For people: where the files are applied, and what is not there although it was asked for. */
function readme(templates: TemplateSet, entries: readonly CatalogueEntry[]): string {
  const left = entries.flatMap(({ name, utility }) => {
    if (utility === undefined)
      return [{ name, reason: `no public chart, write its place into spec.utilities.${name}.repository` }]
    return utility.unmanaged ? [{ name, reason: 'unmanaged' }] : []
  })
  return templates.render('cluster/readme', { left: left.length > 0 && left })
}

function templatesOf(sets: TemplateSets, { metadata, spec }: Cluster): TemplateSet {
  const templates = sets.get(spec.templateSet)
  if (templates !== undefined) return templates
  const known = [...sets.keys()].join(', ')
  throw new FleetError(
    'invalid-document',
    `Cluster ${metadata.name} wants template set ${spec.templateSet}; there are ${known}.`,
  )
}
