import fc from 'fast-check'
import { test } from 'tap'
import { readRepositoryAddress } from '../../src/fleet/repository-address.ts'

const ADDRESSES: readonly (readonly [string, object])[] = [
  ['/srv/fleet.git', { kind: 'path', path: '/srv/fleet.git' }],
  ['fleet.git', { kind: 'path', path: 'fleet.git' }],
  [
    'https://git.example.com/team/fleet.git/',
    { kind: 'http', url: 'https://git.example.com/team/fleet.git' },
  ],
  [
    'ssh://git@git.example.com/team/fleet.git',
    { kind: 'ssh', user: 'git', host: 'git.example.com', port: undefined, path: '/team/fleet.git' },
  ],
  [
    'ssh://git@[2001:db8::1]:2222/team/fleet.git',
    { kind: 'ssh', user: 'git', host: '2001:db8::1', port: 2222, path: '/team/fleet.git' },
  ],
  ['ssh://git@git.example.com/~ada/fleet.git', { kind: 'ssh', path: '~ada/fleet.git' }],
  [
    'git@git.example.com:team/fleet.git',
    {
      kind: 'ssh',
      url: 'git@git.example.com:team/fleet.git',
      user: 'git',
      host: 'git.example.com',
      port: undefined,
      path: 'team/fleet.git',
    },
  ],
]

const REFUSED: readonly (readonly [string, RegExp])[] = [
  ['', /empty/],
  ['ftp://git.example.com/fleet.git', /http, https or ssh/],
  ['file:///srv/fleet.git', /http, https or ssh/],
  ['https://ada:token@git.example.com/fleet.git', /user name or token/],
  ['https://git.example.com/fleet.git?x=1', /path of the repository/],
  ['ssh://git.example.com/fleet.git', /must name the user/],
  ['ssh://git:secret@git.example.com/fleet.git', /must not hold a password/],
  ['ssh://git@-oProxyCommand=id/fleet.git', /name of a host/],
  ['ssh://-oProxyCommand=id@host/fleet.git', /user/],
  ['ssh://git@host:0/fleet.git', /port/],
  ['ssh://git@host:70000/fleet.git', /port/],
  ['ssh://git@host', /user/],
  ["ssh://git@host/fleet'; id; '.git", /path/],
  ['ssh://git@host/$(id).git', /path/],
  ['ssh://git@host/a b.git', /path/],
  ['ssh://git@host/%27.git', /path/],
  ['ssh://git@host/../fleet.git', /path/],
  ['git@host:-upload.git', /path/],
  ['git@-host:fleet.git', /host/],
  ['git@ho st:fleet.git', /host/],
  ['git@host:`id`', /path/],
  ['git@host:', /path/],
]

test('addresses of repositories', async (t) => {
  for (const [text, address] of ADDRESSES) t.match(readRepositoryAddress(text), { address }, text)
  for (const [text, problem] of REFUSED) {
    t.match(readRepositoryAddress(text), { problem }, text)
  }
})

test('nothing that ssh or a shell would take for something else gets through', async (t) => {
  const part = fc.string({ unit: 'grapheme-ascii', maxLength: 12 })
  const texts = fc.oneof(
    fc.tuple(part, part, part).map(([user, host, path]) => `ssh://${user}@${host}/${path}`),
    fc.tuple(part, part, part).map(([user, host, path]) => `${user}@${host}:${path}`),
    fc.constantFrom('-', "'", '$(', ' ', '\n', ';').map((bad) => `ssh://git@host/a${bad}b`),
  )
  fc.assert(
    fc.property(texts, (text) => {
      const reading = readRepositoryAddress(text)
      if (!('address' in reading) || reading.address.kind !== 'ssh') return
      const { user, host, path } = reading.address
      if (
        ![user, host, path].every(
          (word) => /^[^-\s'"`$;&|<>(){}*?!\\%#]/.test(word) && !/[\s'"`$;&|<>(){}*?!\\%#]/.test(word),
        )
      )
        throw new Error(JSON.stringify(reading))
    }),
    { numRuns: 2_000 },
  )
  t.pass('2,000 texts')
})
