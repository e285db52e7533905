/** All manifests of one installation, in one file. */
import { staysOnCluster } from '../../fleet/deletion.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { FileChange } from '../../fleet/files.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { Installation } from '../../fleet/intents.ts'
import { manifestPath } from '../../fleet/paths.ts'
import { sizeOf } from '../../fleet/sizes.ts'
import type { TemplateSets } from '../template-set.ts'
import { cloudNativeCluster, databaseNameOf, renderDatabase } from './database.ts'
import { renderFilestore } from './filestore.ts'
import { protectionOf, type RenderInput, renderInput } from './input.ts'
import { renderMattermost } from './mattermost.ts'
import { appOf, namespaceOf } from './names.ts'
import { externalSecret, ownSecrets } from './secrets.ts'

const INGRESS_NAMESPACE = 'nginx'

/** @throws FleetError `invalid-template`, `invalid-document`, `not-implemented` */
export function renderInstallation(sets: TemplateSets, fleet: Fleet, installation: Installation): FileChange {
  const { id } = installation.metadata
  const cluster = installation.spec.placement?.cluster
  if (cluster === undefined)
    throw new FleetError('internal', `Installation ${id} has no cluster to be rendered for.`)
  const templates = sets.get(installation.spec.templateSet)
  if (templates === undefined) {
    const known = [...sets.keys()].join(', ')
    throw new FleetError(
      'invalid-document',
      `Installation ${id} wants template set ${installation.spec.templateSet}; there are ${known}.`,
    )
  }
  return {
    path: manifestPath(cluster, id),
    text: documentsOf(renderInput(templates, fleet, installation)).join(''),
  }
}

/** In the order they are needed: namespace, rights, secrets, data, application. */
function documentsOf(input: RenderInput): readonly string[] {
  const { installation, templates, settings, phase } = input
  if (phase === 'emptied') return whatStays(input)
  const database = renderDatabase(input)
  const filestore = renderFilestore(input)
  const view = {
    id: installation.metadata.id,
    namespace: namespaceOf(installation),
    app: appOf(installation),
    ingressNamespace: INGRESS_NAMESPACE,
    operatorPorts: installation.spec.database.kind === 'cloudnative-pg',
    databaseName: databaseNameOf(input),
    roleArn: filestore.roleArn ?? false,
    pdbName: `${appOf(installation)}-pdb`,
  }
  const render = (template: string): string => templates.render(`installation/${template}`, view)
  const one = (sizeOf(installation.spec.size)?.replicas ?? 1) === 1
  return [
    namespace(input),
    render('network-policies'),
    render('service-account'),
    ...(database.readsNamespace || filestore.readsNamespace ? [render('secret-reader')] : []),
    ...ownSecrets(input).map((secret) => externalSecret(input, secret)),
    ...database.documents,
    ...filestore.documents,
    ...(settings.dns.provider === 'route53' ? [dnsRecords(input)] : []),
    renderMattermost(input, database, filestore),
    // A budget of one for one replica would keep its node from ever being drained.
    ...(one || installation.spec.hibernated === true ? [] : [render('pod-disruption-budget')]),
  ]
}

/** A database of the cluster that outlives its installation keeps its namespace; otherwise nothing stays. */
function whatStays(input: RenderInput): readonly string[] {
  if (input.tombstone !== undefined && staysOnCluster(input.tombstone))
    return [namespace(input), cloudNativeCluster(input)]
  return [input.templates.render('installation/removed', { namespace: namespaceOf(input.installation) })]
}

function namespace(input: RenderInput): string {
  const { installation, templates } = input
  return templates.render('installation/namespace', {
    id: installation.metadata.id,
    namespace: namespaceOf(installation),
    protected: protectionOf(input, 'database').protected,
  })
}

function dnsRecords({ installation, settings, cluster, templates }: RenderInput): string {
  const target = cluster.spec.ingress?.loadBalancerHostname
  if (target === undefined || settings.dns.zoneId === undefined) return ''
  const names = installation.spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
  return templates.render('installation/dns-record', {
    namespace: namespaceOf(installation),
    records: names.map(({ id, name }) => ({ resource: `dns-${id}`, name })),
    zoneId: settings.dns.zoneId,
    ttl: settings.dns.ttlSeconds,
    dnsTarget: target,
    providerConfig: settings.aws?.providerConfig ?? 'default',
  })
}
