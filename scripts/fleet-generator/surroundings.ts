/** What installations need around them: settings, clusters, groups, shared databases. */
import {
  API_VERSION,
  type Cluster,
  type EngineName,
  type FleetSettings,
  type Group,
  type Intent,
  type SharedDatabase,
} from '../../src/fleet/intents.ts'
import type { SeededRandom } from './random.ts'

/** Installations a cluster takes, of which placement fills 80 percent. */
const CAPACITY = 2_000
const REGIONS = ['eu-central-1', 'us-east-1', 'us-west-2', 'ap-southeast-2'] as const
const RINGS = [
  ['canary', '11.3.0'],
  ['early', '11.2.1'],
  ['standard', '11.2.0'],
  ['large', '11.2.0'],
  ['conservative', '10.11.4'],
] as const
/** Only clusters and installations of one region have its annotation. */
export const SOVEREIGN = 'sovereign-eu'

export interface SurroundingsOptions {
  readonly clusters: number
  readonly engine: EngineName
  readonly createdAt: string
}

export function surroundings(
  settings: FleetSettings,
  { clusters, engine, createdAt }: SurroundingsOptions,
  random: SeededRandom,
): readonly Intent[] {
  const { placement } = settings.spec
  return [
    {
      ...settings,
      spec: { ...settings.spec, engine, placement: { ...placement, installationsPerCluster: CAPACITY } },
    },
    ...RINGS.map(([name, version]) => ring(name, version, createdAt, random)),
    ...Array.from({ length: clusters }, (_, at) => cluster(at, createdAt, random)),
    ...Array.from({ length: clusters }, (_, at) => databasesOf(at, createdAt, random)).flat(),
  ]
}

function clusterName(at: number): string {
  return `prod-${String(at + 1).padStart(3, '0')}`
}

function ring(name: string, version: string, createdAt: string, random: SeededRandom): Group {
  return {
    apiVersion: API_VERSION,
    kind: 'Group',
    metadata: { id: random.id(), name, createdAt },
    spec: {
      displayName: name,
      description: `Release ring ${name}`,
      version,
      image: 'mattermost/mattermost-enterprise-edition',
      maxRolling: 20,
      sequence: 0,
      env: { MM_FEATUREFLAGS_RING: { value: name } },
    },
  }
}

function cluster(at: number, createdAt: string, random: SeededRandom): Cluster {
  const name = clusterName(at)
  const region = REGIONS[at % REGIONS.length] ?? 'us-east-1'
  return {
    apiVersion: API_VERSION,
    kind: 'Cluster',
    metadata: {
      id: random.id(),
      name,
      createdAt,
      ...(region === 'eu-central-1' ? { annotations: [SOVEREIGN] } : {}),
    },
    spec: {
      provider: 'aws',
      provisioner: 'external',
      vpc: `vpc-${name}`,
      zones: [`${region}a`, `${region}b`],
      allowInstallations: true,
      ingress: { className: 'nginx-controller', loadBalancerHostname: `${name}.elb.${region}.example.com` },
      oidcProvider: `oidc.eks.${region}.amazonaws.com/id/${random.id().toUpperCase()}`,
      templateSet: 'v1',
      operation: { kind: 'provisioning', generation: 1, requestedAt: createdAt },
    },
  }
}

/** Two of each shared kind in the network of a cluster. */
function databasesOf(at: number, createdAt: string, random: SeededRandom): readonly SharedDatabase[] {
  const kinds = [
    ['aws-multitenant-rds-postgres', 'shared'],
    ['aws-multitenant-rds-postgres-pgbouncer', 'pooled'],
  ] as const
  return kinds.flatMap(([databaseKind, label]) =>
    [1, 2].map((number): SharedDatabase => {
      const name = `${label}-${clusterName(at)}-${number}`
      return {
        apiVersion: API_VERSION,
        kind: 'SharedDatabase',
        metadata: { id: random.id(), name, createdAt },
        spec: {
          databaseKind,
          rdsClusterId: `rds-cluster-multitenant-${name}`,
          vpc: `vpc-${clusterName(at)}`,
          writerEndpoint: `${name}.cluster-c1.rds.example.com`,
          readerEndpoint: `${name}.cluster-ro-c1.rds.example.com`,
          port: 5432,
          adminSecretKey: `databases/${name}/admin`,
        },
      }
    }),
  )
}
