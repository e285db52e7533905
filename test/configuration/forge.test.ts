import { test } from 'tap'
import { forgeAddress } from '../../src/configuration/forge.ts'

const CASES: readonly (readonly [string, string, string, string])[] = [
  ['github', 'https://github.com/team/fleet.git', 'https://github.com', 'team/fleet'],
  ['github', 'git@github.com:team/fleet.git', 'https://github.com', 'team/fleet'],
  ['github', 'https://github.example.com/team/fleet', 'https://github.example.com', 'team/fleet'],
  ['gitea', 'http://127.0.0.1:3000/team/fleet.git', 'http://127.0.0.1:3000', 'team/fleet'],
  ['gitea', 'https://example.com/git/team/fleet.git', 'https://example.com/git', 'team/fleet'],
  ['gitea', 'ssh://git@git.example.com:2222/team/fleet.git', 'https://git.example.com', 'team/fleet'],
  ['gitlab', 'https://gitlab.com/company/team/fleet.git', 'https://gitlab.com', 'company/team/fleet'],
]

test('the fleet URL tells where the forge is and which repository it is', async (t) => {
  for (const [forge, fleet, server, repository] of CASES)
    t.same(
      forgeAddress({ forge, fleet, 'forge-url': undefined, 'forge-repository': undefined }),
      { kind: forge, server, repository },
      fleet,
    )
})

test('settings of its own win, and without a forge there is nothing to tell', async (t) => {
  const fleet = 'https://mirror.example.com/a/b.git'
  const own = { 'forge-url': 'https://git.example.com/', 'forge-repository': 'team/fleet' }
  t.match(forgeAddress({ forge: 'gitea', fleet, ...own }), {
    server: 'https://git.example.com',
    repository: 'team/fleet',
  })
  t.equal(forgeAddress({ forge: 'none', fleet, ...own }), undefined)
})

test('what the fleet URL does not tell must be set', async (t) => {
  const none = { 'forge-url': undefined, 'forge-repository': undefined }
  for (const fleet of [undefined, './fleet.git'])
    t.throws(() => forgeAddress({ forge: 'gitea', fleet, ...none }), {
      code: 'invalid-configuration',
      message: /set forge-url/,
    })
  t.throws(() => forgeAddress({ forge: 'github', fleet: 'https://github.com/fleet.git', ...none }), {
    message: /set forge-repository/,
  })
})
