/** Settings of the forge: where pull requests are, and how Fleetwright logs in there. */
import { anything, forgeRepository, httpUrl, oneOf, seconds, token, wholeNumber } from './checks.ts'

export const FORGE_SETTINGS = [
  {
    key: 'forge',
    placeholder: '<gitea|github|gitlab|none>',
    default: 'none',
    parse: oneOf('gitea', 'github', 'gitlab', 'none'),
    description: 'Forge of the fleet repository: its pull requests are checked, and answered after the merge',
  },
  {
    key: 'forge-url',
    placeholder: '<url>',
    default: undefined,
    parse: httpUrl,
    description:
      'Where the forge is, as people open it (`https://github.com`, `https://git.example.com`); without it the host of the fleet URL',
  },
  {
    key: 'forge-repository',
    placeholder: '<owner/name>',
    default: undefined,
    parse: forgeRepository,
    description: 'Name of the fleet repository on the forge; without it as the fleet URL says',
  },
  {
    key: 'forge-token-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description:
      'File with the token for the forge; without it the token of the fleet URL; a new token in it is noticed',
  },
  {
    key: 'forge-token',
    placeholder: '<token>',
    default: undefined,
    parse: token,
    secret: true,
    description: 'The token itself, instead of a file',
  },
  {
    key: 'github-app-id',
    placeholder: '<number>',
    default: undefined,
    parse: wholeNumber,
    description:
      'GitHub App to log in as, instead of with a token: to the API, and to git when there is no fleet-token',
  },
  {
    key: 'github-app-installation',
    placeholder: '<number>',
    default: undefined,
    parse: wholeNumber,
    description: 'Its installation on the owner of the fleet repository',
  },
  {
    key: 'github-app-key-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description:
      'File with a private key of the GitHub App, as GitHub gives it (PEM); a new key in it is noticed',
  },
  {
    key: 'github-app-key',
    placeholder: '<key>',
    default: undefined,
    parse: anything,
    secret: true,
    description: 'The private key itself, instead of a file; its line ends may be written as `\\n`',
  },
  {
    key: 'forge-hook-secret-file',
    placeholder: '<file>',
    default: undefined,
    parse: anything,
    description:
      'File with the secret that hooks of the forge are signed with; without one no hook is taken, and the poll finds everything',
  },
  {
    key: 'forge-hook-secret',
    placeholder: '<secret>',
    default: undefined,
    parse: token,
    secret: true,
    description: 'The secret itself, instead of a file',
  },
  {
    key: 'pull-request-poll-seconds',
    placeholder: '<seconds>',
    default: '60',
    parse: seconds,
    description: 'How often pull requests are looked for, besides what hooks tell',
  },
  {
    key: 'public-url',
    placeholder: '<url>',
    default: undefined,
    parse: httpUrl,
    description: 'Where people reach this server, for links in pull requests; without it there are none',
  },
] as const
