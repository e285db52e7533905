/** Every setting, once: flags, environment, the YAML file, `--help` and docs/configuration.md come from this table. */

import { readRepositoryAddress } from '../fleet/repository-address.ts'
import { address, anything, type Check, days, httpUrl, isSigningKey, oneOf, seconds } from './checks.ts'
import { CLUSTER_SETTINGS } from './cluster-settings.ts'
import { FORGE_SETTINGS } from './forge-settings.ts'
import { REPOSITORY_SETTINGS } from './repository-settings.ts'

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
  ...REPOSITORY_SETTINGS,
  ...FORGE_SETTINGS,
  {
    key: 'loops',
    placeholder: '<all|none>',
    default: 'all',
    parse: oneOf('all', 'none'),
    description: 'none: requests are committed, nothing is placed or retried',
  },
  ...CLUSTER_SETTINGS,
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
