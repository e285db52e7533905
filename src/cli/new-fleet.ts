/** The files of a new fleet repository: settings with comments, and what people and git servers look for. */
import type { EngineName } from '../fleet/intents.ts'
import { emitScalar } from '../fleet/yaml/emit.ts'

export interface NewFleet {
  readonly name: string
  readonly domain: string
  readonly engine: EngineName
  /** What the engine pulls from. */
  readonly repositoryUrl: string
}

export interface NewFile {
  readonly path: string
  readonly text: string
}

export function newFleetFiles(fleet: NewFleet): readonly NewFile[] {
  return [
    { path: '.gitattributes', text: GIT_ATTRIBUTES },
    { path: 'CODEOWNERS', text: CODE_OWNERS },
    { path: 'README.md', text: readme(fleet) },
    { path: 'fleet.yaml', text: settings(fleet) },
  ]
}

const GIT_ATTRIBUTES = `# Every file has line ends of Unix, on every machine: manifests are compared to the byte.
* text=auto eol=lf

# Rendered by Fleetwright: folded in reviews, and not counted as anybody's work.
clusters/*/installations/*/*/manifest.yaml linguist-generated=true
clusters/*/system/** linguist-generated=true
clusters/*/infra/** linguist-generated=true
control/** linguist-generated=true
`

const CODE_OWNERS = `# Who must agree to what. An example: put your own teams in, and take the # away.
# /fleet.yaml   @example/platform
# /groups/      @example/release
# /databases/   @example/databases
# /clusters/    @example/platform
# /requests/    @example/support
`

function readme({ name }: NewFleet): string {
  return `# Fleet ${name}

The one record of what is wanted. Fleetwright writes it for the API's callers and renders what people commit; the delivery
engine applies what is rendered.

| Path | What | Written by |
|---|---|---|
| \`fleet.yaml\` | settings of the fleet | people |
| \`groups/\`, \`databases/\` | release rings, shared databases | people, API |
| \`requests/\` | installations that are asked for and not placed yet | people, API |
| \`clusters/<cluster>/cluster.yaml\` | a cluster | people, API |
| \`clusters/<cluster>/installations/<s>/<id>/installation.yaml\` | an installation | people, API |
| \`clusters/<cluster>/installations/<s>/<id>/manifest.yaml\`, \`system/\`, \`infra/\`, \`control/\` | manifests | Fleetwright only |
| \`clusters/<cluster>/tombstones/\` | deleted installations | API |

To ask for an installation, commit \`requests/acme.yaml\`:

\`\`\`yaml
apiVersion: fleet.fleetwright.dev/v1
kind: InstallationRequest
metadata:
  name: acme
spec:
  owner: acme-inc
\`\`\`

Before a change is merged:

\`\`\`sh
fleetwright validate          # every document, and the rules across them: file:line:column: what is wrong; what would be right
fleetwright render --check    # are the manifests what the documents say?
fleetwright plan              # what would follow: placement, changed documents, changed manifests
fleetwright check             # of what is committed on a branch: what its pull request would be told
\`\`\`

Secrets are never in here: documents hold references.
`
}

function settings({ name, domain, engine, repositoryUrl }: NewFleet): string {
  return `# Settings of the fleet. Each is described in Fleetwright's fleet-repo-schema/fleet.schema.json.
apiVersion: fleet.fleetwright.dev/v1
kind: Fleet
metadata:
  name: ${emitScalar(name)}
spec:
  # Installations get names below it: <name>.${domain}.
  domain: ${emitScalar(domain)}
  # Goes into tags of cloud resources, to tell this fleet's from another's.
  environment: ${emitScalar(name)}
  # What applies the manifests: argocd or flux.
  engine: ${engine}
  # What the engine pulls from, and the Secret in its namespace that it logs in with.
  repository:
    url: ${emitScalar(repositoryUrl)}
    secretName: fleetwright-repository
  # Templates that new installations are rendered with.
  templateSet: v1
  dns:
    # external-dns: annotations that external-dns reads; route53: a record that Crossplane makes.
    provider: external-dns
    ttlSeconds: 60
  # The ClusterSecretStore of the External Secrets Operator on each cluster, and what names of secrets begin with.
  secretStore:
    name: fleetwright
    keyPrefix: fleetwright/
  # Needed by databases and file stores on AWS.
  # aws:
  #   region: us-east-1
  #   accountId: "123456789012"
  #   databaseSubnetGroup:
  #     name: databases
  #     subnetIds:
  #       - subnet-0a
  #       - subnet-0b
  #   databaseSecurityGroupIds:
  #     - sg-0a
  #   sharedBucket: ${name}-installations
  #   bifrostBucket: ${name}-bifrost
  #   auroraPostgresqlVersion: "16.6"
  #   providerConfig: default
  # Networks that imported clusters may be in.
  # vpcs:
  #   - vpc-0a1b2c3d
  # Regular expressions of environment variables whose values are secret, beside the built-in ones.
  # secretEnvNames:
  #   - MM_PLUGINSETTINGS_CUSTOM
  # What a request gets where it says nothing.
  defaults:
    version: 11.2.0
    image: mattermost/mattermost-enterprise-edition
    size: 100users
    affinity: multitenant
    database: cloudnative-pg
    filestore: local-ephemeral
    ingressClass: nginx-controller
    ndots: 5
  placement:
    # A cluster takes no more installations above this share of its capacity.
    thresholdPercent: 80
    installationsPerCluster: 500
  limits:
    installationsPerSharedDatabase: 300
    installationsPerPgbouncerDatabase: 2500
    schemasPerLogicalDatabase: 10
  # Charts that every cluster has; a cluster may name another version, or unmanaged.
  utilities:
    mattermost-operator:
      chart: 1.0.3
    external-secrets:
      chart: 2.9.0
    crossplane:
      chart: 2.1.1
    cloudnative-pg:
      chart: 0.29.1
    nginx:
      chart: 4.11.1
    external-dns:
      chart: 1.21.1
    metrics-server:
      chart: 3.12.1
  deletion:
    # A deletion can be cancelled for so long.
    pendingSeconds: 180
    keepDatabase: true
    keepFilestore: true
  # What becomes of a manifest that somebody edited: overwrite, or hold (and report).
  editedManifests: overwrite
  # Changes asked for through the API that become a pull request, and count once it is merged.
  # changePolicy:
  #   review:
  #     deletions: true
  #     sizeUps: true
  #     groupVersions: true
  #     clusterRemovals: true
  #     # One request that touches more installations than this.
  #     moreThanInstallations: 50
  #     exempt:
  #       tokens:
  #         - portal
  #     expireHours: 168
  #   # What pull requests of people may ask for, and who may.
  #   pullRequests:
  #     imageRegistries:
  #       - docker.io/mattermost
  #     largestSize: 5000users
  #     mostReplicas: 2
  #     deletions: false
  #     protectedGroups:
  #       - names:
  #           - prod-*
  #         versions:
  #           teams:
  #             - release
  #     # The last entry that matches counts; what none matches is everybody's.
  #     owners:
  #       - kind: Fleet
  #         teams:
  #           - platform
`
}
