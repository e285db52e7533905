/** Settings of the fleet repository: where it is, how it is logged in to, and how it is written. */
import {
  anything,
  email,
  oneOf,
  positive,
  rate,
  repositories,
  repository,
  token,
  userName,
} from './checks.ts'

export const REPOSITORY_SETTINGS = [
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
    parse: (text: string) =>
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
] as const
