/** The file store of an installation: bucket, rights, and what the Mattermost resource says about it. */
import { awsNameOf } from '../../fleet/aws-names.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { RenderInput } from './input.ts'
import { protectionOf, requireAws, tagsOf } from './input.ts'
import { appOf, namespaceOf } from './names.ts'
import { externalSecret, IN_NAMESPACE } from './secrets.ts'

export interface RenderedFilestore {
  readonly documents: readonly string[]
  readonly fileStore: object
  /** Overrides that win over every other variable. */
  readonly env: Readonly<Record<string, string>>
  readonly roleArn: string | undefined
  readonly readsNamespace: boolean
}

const SSE = { MM_FILESETTINGS_AMAZONS3SSE: 'true' } as const

/** @throws FleetError `not-implemented` for kinds the template set does not have */
export function renderFilestore(input: RenderInput): RenderedFilestore {
  const { kind } = input.installation.spec.filestore
  switch (kind) {
    case 'local-ephemeral':
      return local()
    case 'bifrost':
      return bifrost(input)
    case 'aws-s3':
      return bucket(input, true)
    case 'aws-multitenant-s3':
      return bucket(input, false)
    default:
      throw new FleetError(
        'not-implemented',
        `Template set ${input.templates.name} has no file store of kind ${kind}.`,
      )
  }
}

function local(): RenderedFilestore {
  return {
    documents: [],
    fileStore: { local: { enabled: true, storageSize: '10Gi', accessModes: ['ReadWriteOnce'] } },
    env: { MM_FILESETTINGS_DRIVERNAME: 'local' },
    roleArn: undefined,
    readsNamespace: false,
  }
}

/** The gateway signs for everybody; what the installation says to it only has to be there. */
function bifrost(input: RenderInput): RenderedFilestore {
  const { installation, templates } = input
  const aws = requireAws(input)
  const name = `${appOf(installation)}-filestore`
  const password = templates.render('installation/password', {
    namespace: namespaceOf(installation),
    passwordName: name,
  })
  const secret = externalSecret(input, {
    name,
    dataFrom: [
      {
        sourceRef: {
          generatorRef: { apiVersion: 'generators.external-secrets.io/v1alpha1', kind: 'Password', name },
        },
      },
    ],
    templateData: { accesskey: 'bifrost', secretkey: '{{ .password }}' },
  })
  return {
    documents: [password, secret],
    fileStore: { external: { url: s3Host(aws.region), bucket: bucketOf(input), secret: name } },
    env: {
      MM_CLOUD_FILESTORE_BIFROST: 'true',
      MM_FILESETTINGS_AMAZONS3ENDPOINT: 'bifrost.bifrost:80',
      MM_FILESETTINGS_AMAZONS3PATHPREFIX: prefixOf(input),
      MM_FILESETTINGS_AMAZONS3SIGNV2: 'false',
      MM_FILESETTINGS_AMAZONS3SSE: 'false',
      MM_FILESETTINGS_AMAZONS3SSL: 'false',
    },
    roleArn: undefined,
    readsNamespace: false,
  }
}

function bucket(input: RenderInput, own: boolean): RenderedFilestore {
  const { installation, templates, cluster } = input
  const aws = requireAws(input)
  const name = bucketOf(input)
  const oidc = cluster.spec.oidcProvider
  const roleArn =
    oidc === undefined ? undefined : `arn:aws:iam::${aws.accountId}:role/${awsNameOf(installation)}`
  const view = {
    namespace: namespaceOf(installation),
    awsName: awsNameOf(installation),
    bucket: name,
    region: aws.region,
    tags: tagsOf(input),
    providerConfig: aws.providerConfig,
    policy: policyOf(name, own ? undefined : prefixOf(input)),
    roleArn: roleArn ?? false,
    trustPolicy: oidc === undefined ? '' : trustPolicy(input, aws.accountId, oidc),
    accessKeySecret: `${appOf(installation)}-access-key`,
    ...protectionOf(input, 'filestore'),
  }
  const secretName = `${appOf(installation)}-filestore`
  const documents = [
    ...(own ? [templates.render('installation/filestore/aws-s3', view)] : []),
    templates.render('installation/filestore/aws-access', view),
    ...(roleArn === undefined ? [accessKey(input, secretName, view.accessKeySecret)] : []),
  ]
  const login = roleArn === undefined ? { secret: secretName } : { useServiceAccount: true }
  return {
    documents,
    fileStore: { external: { url: s3Host(aws.region), bucket: name, ...login } },
    env: {
      ...SSE,
      MM_FILESETTINGS_AMAZONS3REGION: aws.region,
      ...(own ? {} : { MM_FILESETTINGS_AMAZONS3PATHPREFIX: prefixOf(input) }),
    },
    roleArn,
    readsNamespace: roleArn === undefined,
  }
}

function accessKey(input: RenderInput, name: string, from: string): string {
  return externalSecret(input, {
    name,
    store: IN_NAMESPACE,
    dataFrom: [{ extract: { key: from } }],
    templateData: { accesskey: '{{ .username }}', secretkey: '{{ .password }}' },
  })
}

function bucketOf({ installation }: RenderInput): string {
  return installation.spec.filestore.bucket ?? awsNameOf(installation)
}

function prefixOf({ installation }: RenderInput): string {
  return installation.spec.filestore.prefix ?? installation.metadata.id
}

function s3Host(region: string): string {
  return region === 'us-east-1' ? 's3.amazonaws.com' : `s3.${region}.amazonaws.com`
}

/** Only the bucket; in a shared one only what is below the prefix. */
function policyOf(name: string, prefix: string | undefined): string {
  const arn = `arn:aws:s3:::${name}`
  const condition =
    prefix === undefined ? {} : { Condition: { StringLike: { 's3:prefix': [prefix, `${prefix}/*`] } } }
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      { Effect: 'Allow', Action: ['s3:ListBucket'], Resource: [arn], ...condition },
      {
        Effect: 'Allow',
        Action: [
          's3:GetObject',
          's3:PutObject',
          's3:DeleteObject',
          's3:AbortMultipartUpload',
          's3:ListMultipartUploadParts',
        ],
        Resource: [prefix === undefined ? `${arn}/*` : `${arn}/${prefix}/*`],
      },
    ],
  })
}

function trustPolicy({ installation }: RenderInput, account: string, oidc: string): string {
  const subject = `system:serviceaccount:${namespaceOf(installation)}:${appOf(installation)}`
  return JSON.stringify({
    Version: '2012-10-17',
    Statement: [
      {
        Effect: 'Allow',
        Principal: { Federated: `arn:aws:iam::${account}:oidc-provider/${oidc}` },
        Action: 'sts:AssumeRoleWithWebIdentity',
        Condition: { StringEquals: { [`${oidc}:aud`]: 'sts.amazonaws.com', [`${oidc}:sub`]: subject } },
      },
    ],
  })
}
