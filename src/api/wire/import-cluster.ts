/** Import of a cluster that somebody else runs. */
import { requireNewAnnotations } from '../../fleet/annotations.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import { isKubeconfig } from '../../fleet/kubeconfig.ts'
import { addCluster } from '../../fleet/transactions/clusters/clusters.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, json } from '../routes.ts'
import { flag, list, object, text } from '../shapes.ts'
import { clusterView } from '../views/cluster.ts'
import { PGBOUNCER_DEFAULTS } from './cluster-values.ts'
import { requireValid } from './need.ts'
import { checkUtilities, givenUtilities, UTILITY_VERSIONS } from './utility-versions.ts'
import { newId } from './values.ts'

export const IMPORT_CLUSTER = object({
  'external-cluster-secret-name': text('Name of the secret with the kubeconfig'),
  'vpc-id': text('VPC, when the cluster is on AWS'),
  annotations: list(text()),
  'allow-installations': flag(),
  'api-security-lock': flag(),
  'utility-versions': UTILITY_VERSIONS,
})

export async function importClusterHandler(parts: Parts, context: HandlerContext): Promise<Answer> {
  const body = context.decode(IMPORT_CLUSTER)
  const secretName = body['external-cluster-secret-name'] ?? ''
  const vpc = body['vpc-id'] || undefined
  requireValid((need) => {
    need(secretName !== '', '/external-cluster-secret-name', 'must name the secret with the kubeconfig')
    checkUtilities(body['utility-versions'], need)
  })
  const utilities = givenUtilities(body['utility-versions'])
  const annotations = requireNewAnnotations(body.annotations ?? [], '/annotations')
  await requireKubeconfig(parts, context, secretName)
  const add = addCluster({
    id: newId(parts.randomness),
    name: secretName,
    annotations,
    spec: {
      provider: 'external',
      provisioner: 'external',
      credentialsSecret: secretName,
      allowInstallations: body['allow-installations'] ?? false,
      ...(vpc === undefined ? {} : { vpc, pgbouncer: PGBOUNCER_DEFAULTS }),
      ...(Object.keys(utilities).length > 0 ? { utilities } : {}),
      ...(body['api-security-lock'] === true ? { apiLocked: true } : {}),
    },
  })
  return await context.submit({
    transaction(fleet, request) {
      if (vpc !== undefined) requireVpc(fleet, vpc)
      return add(fleet, request)
    },
    // The original knows no settings of PgBouncer at first, and says so differently later.
    answer: (cluster) =>
      json(202, {
        ...clusterView(parts, cluster),
        ...(vpc === undefined ? { PgBouncerConfig: null } : {}),
      }),
  })
}

/**
 * A secret that is there must be a kubeconfig; one that is not there yet may come later, and until then nothing can
 * reach the cluster.
 * @throws FleetError `invalid-request`
 */
async function requireKubeconfig({ secrets }: Parts, { log }: HandlerContext, name: string): Promise<void> {
  const content = await secrets.get(name)
  if (content === undefined) {
    log.info({ secret: name }, 'the secret with the kubeconfig is not in the secret backend yet')
    return
  }
  requireValid((need) =>
    need(
      isKubeconfig(content),
      '/external-cluster-secret-name',
      'must name a secret that holds a kubeconfig with a current context',
    ),
  )
}

/** @throws FleetError `invalid-request` for a network that the fleet does not name */
function requireVpc(fleet: Fleet, vpc: string): void {
  const known = new Set([
    ...(fleet.settings.spec.vpcs ?? []),
    ...fleet.clusters().map(({ spec }) => spec.vpc),
    ...fleet.databases().map(({ spec }) => spec.vpc),
  ])
  if (known.has(vpc)) return
  const detail = 'must be a network of fleet.yaml (spec.vpcs), of a cluster or of a shared database'
  throw new FleetError('invalid-request', `vpc-id ${detail}.`, { errors: [{ pointer: '/vpc-id', detail }] })
}
