/** Every setting, once: flags, environment, the YAML file, `--help` and docs/configuration.md come from this table. */

import { readRepositoryAddress } from '../fleet/repository-address.ts'
import {
  address,
  anything,
  type Check,
  days,
  email,
  httpUrl,
  isSigningKey,
  listOf,
  oneOf,
  positive,
  rate,
  repositories,
  repository,
  seconds,
  token,
  userName,
} from './checks.ts'
import { FORGE_SETTINGS } from './forge-settings.ts'

export interface Setting {
  /** Key of the YAML file; `--key` as a flag, `FLEETWRIGHT_KEY` in the environment. */
  readonly key: string
  readonly description: string
  readonly placeholder: string
  readonly default: string | undefined
  /** Of commands that ask a server; without it, of the server. */
  readonly of?: 'client'
  /** Told by the environment or a file only: a command line is seen by everybody on the machine. */
  readonly secret?: boolean
  readonly parse: Check
}

export const SETTINGS = [
  {
    key: 'data',
    placeholder: '<folder>',
    default: './.fleetwright',
    parse: anything,
    description: 'Data directory: embedded repository, secrets, hashed tokens',
  },
  {
    key: 'listen',
    placeholder: '<host:port>',
    default: '127.0.0.1:8075',
    parse: address,
    description: 'Where the API listens; port 0 takes any free one',
  },
  {
    key: 'fleet',
    placeholder: '<path|URL>',
    default: undefined,
    parse: repository,
    description:
      'Fleet repository: a bare one on this disk, or on a git server (`https://…`, `ssh://git@host/path`, `git@host:path`); without it the embedded one in the data directory',
  },
  {
    key: 'fleet-token-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description: 'File with the token that may read and push to the fleet URL; a new token in it is noticed',
  },
  {
    key: 'fleet-token',
    placeholder: '<token>',
    default: undefined,
    parse: token,
    secret: true,
    description: 'The token itself, instead of a file',
  },
  {
    key: 'fleet-user',
    placeholder: '<name>',
    default: 'fleetwright',
    parse: userName,
    description: 'User name that goes with the token; most git servers take any',
  },
  ...FORGE_SETTINGS,
  {
    key: 'fleet-ssh-key-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description:
      'Private key (mode 0600, no passphrase) that may read and push to a fleet repository over ssh; a new key in it is noticed',
  },
  {
    key: 'fleet-known-hosts-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description: 'Host keys of the ssh servers that may be talked to, as `known_hosts` of OpenSSH has them',
  },
  {
    key: 'fleet-mirror',
    placeholder: '<path|URL,…>',
    default: undefined,
    parse: repositories,
    description:
      'Mirrors of the fleet repository, with commas between: main and the projections are pushed to them in the background',
  },
  {
    key: 'fleet-mirror-credentials',
    placeholder: '<folder>',
    default: undefined,
    parse: anything,
    description:
      'What mirrors are logged in to with, by host: `<host>.token` or `<host>.key` (default: mirror-credentials in the data directory)',
  },
  {
    key: 'accept-new-history',
    placeholder: '<commit>',
    default: undefined,
    parse: (text) =>
      /^[0-9a-f]{40}$/.test(text) ? undefined : 'must be the id of a commit, 40 hexadecimal digits',
    description:
      'Confirms, once, that main of the fleet repository was rewritten or replaced on purpose: a history that contains this commit is taken',
  },
  {
    key: 'signing-key-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description:
      'Private key of OpenSSH (ed25519, ECDSA, RSA; no passphrase; for its owner only) that signs every commit of Fleetwright; a new key in it is noticed',
  },
  {
    key: 'committer-email',
    placeholder: '<address>',
    default: 'fleetwright@fleetwright.invalid',
    parse: email,
    description:
      'Committer of every commit of Fleetwright; forges call a signature verified when it belongs to the account with this address',
  },
  {
    key: 'protected-main',
    placeholder: '<direct|pull-requests>',
    default: 'direct',
    parse: oneOf('direct', 'pull-requests'),
    description:
      'pull-requests: main is protected and Fleetwright may not pass by that, so it writes through pull requests of its own and merges them; needs `forge`',
  },
  {
    key: 'push-per-minute',
    placeholder: '<number>',
    default: undefined,
    parse: rate,
    description:
      'Most pushes a minute to the fleet repository; requests that come meanwhile share the next one; 0: no limit; without it 6 on github.com, 60 on gitlab.com, none elsewhere',
  },
  {
    key: 'push-burst',
    placeholder: '<number>',
    default: '10',
    parse: positive,
    description: 'Pushes that may follow each other at once after a quiet time, when there is a limit',
  },
  {
    key: 'loops',
    placeholder: '<all|none>',
    default: 'all',
    parse: oneOf('all', 'none'),
    description: 'none: requests are committed, nothing is placed or retried',
  },
  {
    key: 'credentials',
    placeholder: '<folder>',
    default: undefined,
    parse: anything,
    description:
      'Kubeconfigs of the clusters that are watched, one file each; `control` is the control cluster (default: credentials in the data directory)',
  },
  {
    key: 'cluster-credentials',
    placeholder: '<list>',
    default: 'folder',
    parse: listOf('folder', 'control-cluster', 'aws-secrets-manager', 'eks'),
    description:
      'Where credentials of clusters are looked for, in this order: `folder`, `control-cluster` (Secrets), `aws-secrets-manager`, `eks` (a token made for clusters on EKS)',
  },
  {
    key: 'credentials-namespace',
    placeholder: '<namespace>',
    default: 'fleetwright',
    parse: (text) =>
      /^[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?$/.test(text) ? undefined : 'must be the name of a namespace',
    description: 'Namespace on the control cluster with the Secrets of `control-cluster`',
  },
  {
    key: 'eks-role',
    placeholder: '<ARN>',
    default: undefined,
    parse: (text) =>
      /^arn:aws[a-z-]*:iam::\d{12}:role\/\S+$/.test(text)
        ? undefined
        : 'must be the ARN of a role, for example arn:aws:iam::123456789012:role/fleetwright',
    description: 'Role to assume for clusters on EKS; without it the AWS credentials of the process are used',
  },
  {
    key: 'aws-observation',
    placeholder: '<on|off>',
    default: 'off',
    parse: oneOf('on', 'off'),
    description:
      'on: AWS itself is asked about databases, buckets and EKS clusters of the fleet; needs `spec.aws` of fleet.yaml',
  },
  {
    key: 'aws-observation-seconds',
    placeholder: '<seconds>',
    default: '900',
    parse: seconds,
    description: 'How often AWS is asked about everything',
  },
  {
    key: 'ping-per-second',
    placeholder: '<number>',
    default: '0',
    parse: rate,
    description: 'Installations whose /api/v4/system/ping is asked a second, over the whole fleet; 0: none',
  },
  {
    key: 'stuck-seconds',
    placeholder: '<seconds>',
    default: '600',
    parse: seconds,
    description: 'An operation that is still under way after this time is called stuck, with its reason',
  },
  {
    key: 'failed-seconds',
    placeholder: '<seconds>',
    default: '1800',
    parse: seconds,
    description: 'A stuck operation with a known cause has failed after this time',
  },
  {
    key: 'nudge',
    placeholder: '<on|off>',
    default: 'on',
    parse: oneOf('on', 'off'),
    description: 'on: the engines are told at once what was pushed (sets an annotation of their objects)',
  },
  {
    key: 'drift-sweep-seconds',
    placeholder: '<seconds>',
    default: '600',
    parse: seconds,
    description: 'How often everything on a cluster is compared with git, besides what its watches tell',
  },
  {
    key: 'poll-seconds',
    placeholder: '<seconds>',
    default: '10',
    parse: seconds,
    description: 'How often commits of others are looked for',
  },
  {
    key: 'log-level',
    placeholder: '<level>',
    default: 'info',
    parse: oneOf('debug', 'info', 'warn', 'error', 'silent'),
    description: 'Log lines below this level are left out',
  },
  {
    key: 'admin-token',
    placeholder: '<token>',
    default: undefined,
    parse: anything,
    secret: true,
    description: 'The admin token to use instead of a generated one',
  },
  {
    key: 'database-url',
    placeholder: '<url>',
    default: undefined,
    parse: (text) =>
      /^postgres(?:ql)?:\/\//.test(text)
        ? undefined
        : 'must be a URL such as postgres://user:password@host/database',
    secret: true,
    description: 'PostgreSQL for observations and events; without it store.sqlite in the data directory',
  },
  {
    key: 'webhook-key',
    placeholder: '<key>',
    default: undefined,
    parse: (text) => (isSigningKey(text) ? undefined : 'must be whsec_ and base64 of 24 to 64 bytes'),
    secret: true,
    description:
      'Signs what is sent to webhooks; without it webhook-key in the data directory, made at the first start',
  },
  {
    key: 'webhook-link-local',
    placeholder: '<yes|no>',
    default: 'no',
    parse: oneOf('yes', 'no'),
    description: 'yes: webhooks may be at link-local addresses and metadata services',
  },
  {
    key: 'secret-backend',
    placeholder: '<directory|aws-secrets-manager>',
    default: 'directory',
    parse: oneOf('directory', 'aws-secrets-manager'),
    description: 'Where secret values are kept; directory: a private folder of the data directory',
  },
  {
    key: 'secret-grace-days',
    placeholder: '<days>',
    default: '30',
    parse: days,
    description: 'How long a replaced secret value is kept, so that the change can be reverted',
  },
  {
    key: 'aws-region',
    placeholder: '<region>',
    default: undefined,
    parse: anything,
    description: 'Region of everything on AWS; without it the one of fleet.yaml',
  },
  {
    key: 'aws-endpoint',
    placeholder: '<url>',
    default: undefined,
    parse: httpUrl,
    description: 'Another service that speaks the protocols of AWS; without it AWS itself',
  },
  {
    key: 'server',
    of: 'client',
    placeholder: '<url>',
    default: 'http://127.0.0.1:8075',
    parse: httpUrl,
    description: 'The server to ask',
  },
  {
    key: 'token-file',
    of: 'client',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description: 'File that holds the token to log in to the server with',
  },
  {
    key: 'token',
    of: 'client',
    placeholder: '<token>',
    default: undefined,
    parse: anything,
    secret: true,
    description: 'The token itself',
  },
] as const satisfies readonly Setting[]

export type SettingKey = (typeof SETTINGS)[number]['key']

/** What is set, or its default. */
export type Configuration = {
  readonly [S in (typeof SETTINGS)[number] as S['key']]: S['default'] extends string
    ? string
    : string | undefined
}

/** Whether the fleet repository is on a git server; anything else is a path on this disk. */
export function isRemote(fleet: string | undefined): fleet is string {
  if (fleet === undefined) return false
  const reading = readRepositoryAddress(fleet)
  return 'address' in reading && reading.address.kind !== 'path'
}

export function environmentName(key: string): string {
  return `FLEETWRIGHT_${key.toUpperCase().replaceAll('-', '_')}`
}

/** docs/configuration.md. */
export function configurationMarkdown(): string {
  return [
    '# Configuration',
    '',
    'Each setting can be given as a flag, in the environment, or in a YAML file named by `--config` (or `FLEETWRIGHT_CONFIG`).',
    'A flag wins over the environment, the environment over the file, the file over the default. A key or variable that',
    'nothing knows is an error. `fleetwright <command> --help` says which flags a command takes.',
    '',
    '## The server',
    '',
    ...table(undefined),
    '',
    '## Commands that ask a server (`status`, `history`, `drift`, `pull-requests`, `plan --server`)',
    '',
    ...table('client'),
    '',
    '## Other variables',
    '',
    '`NO_COLOR` (any value) switches colours off; they are off anyway where the output is not a terminal.',
    '',
  ].join('\n')
}

function table(of: 'client' | undefined): readonly string[] {
  const settings: readonly Setting[] = SETTINGS
  return [
    '| Key | Flag | Environment | Default | Meaning |',
    '|---|---|---|---|---|',
    ...settings.filter((setting) => setting.of === of).map(row),
  ]
}

function row({ key, placeholder, default: fallback, secret, description }: Setting): string {
  const flag = secret === true ? '(environment or file only)' : `\`--${key} ${placeholder}\``
  const value = fallback === undefined ? '' : `\`${fallback}\``
  const cells = [`\`${key}\``, flag, `\`${environmentName(key)}\``, value, description]
  return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`
}
