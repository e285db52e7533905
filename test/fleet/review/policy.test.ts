import fc from 'fast-check'
import { test } from 'tap'
import type { IntentChange } from '../../../src/fleet/fleet.ts'
import type { FleetPath } from '../../../src/fleet/ids.ts'
import {
  API_VERSION,
  type InstallationRequest,
  type InstallationSpec,
  type Intent,
  type PullRequestPolicy,
  type Tombstone,
} from '../../../src/fleet/intents.ts'
import {
  clusterPath,
  FLEET_PATH,
  groupPath,
  installationPath,
  tombstonePath,
} from '../../../src/fleet/paths.ts'
import { imageIn, matches } from '../../../src/fleet/review/patterns.ts'
import { policyProblems, policyTeams } from '../../../src/fleet/review/policy.ts'
import { cluster, CREATED_AT, group, id, installation, settings } from '../../support/intents.ts'

const ACME = installationPath('prod-1', id(1))

function acme(spec: Partial<InstallationSpec> = {}): Intent {
  return installation('acme', 1, { placement: { cluster: 'prod-1' }, ...spec })
}

function change(path: FleetPath, before: Intent | undefined, after: Intent | undefined): IntentChange {
  return { path, before, after }
}

function request(spec: Partial<InstallationRequest['spec']>): IntentChange {
  const after: InstallationRequest = {
    apiVersion: API_VERSION,
    kind: 'InstallationRequest',
    metadata: { name: 'globex' },
    spec: { owner: 'globex', ...spec },
  }
  return change('requests/globex.yaml' as FleetPath, undefined, after)
}

function tombstone(): Tombstone {
  const gone = installation('acme', 1, { placement: { cluster: 'prod-1' } })
  return {
    apiVersion: API_VERSION,
    kind: 'Tombstone',
    metadata: { id: id(1), name: 'acme', deletedAt: CREATED_AT },
    spec: { installation: gone },
  } as Tombstone
}

const ADA = { login: 'Ada', teams: ['acme/Platform'] }
const GRACE = { login: 'grace', teams: [] }

interface Case {
  readonly name: string
  readonly policy: PullRequestPolicy
  readonly changes: readonly IntentChange[]
  readonly paths?: readonly string[]
  readonly author?: typeof ADA | undefined
  /** Pointers and details. */
  readonly expected: readonly (readonly [string, RegExp])[]
}

const REGISTRIES = { imageRegistries: ['docker.io/mattermost', 'registry.example.com'] }
const PLATFORM = { teams: ['acme/platform'] }

const CASES: readonly Case[] = [
  {
    name: 'no limits',
    policy: {},
    changes: [request({ image: 'evil.io/x', size: 'provisionerXL-9' })],
    expected: [],
  },
  {
    name: 'an image of the registry',
    policy: REGISTRIES,
    changes: [request({ image: 'mattermost/mattermost-enterprise-edition' })],
    expected: [],
  },
  {
    name: 'an image of another',
    policy: REGISTRIES,
    changes: [request({ image: 'evil.io/mattermost/x' })],
    expected: [
      [
        '/spec/image',
        /image evil\.io\/mattermost\/x is not from where .* use one of docker\.io\/mattermost, registry\.example\.com/,
      ],
    ],
  },
  {
    name: 'an image that was there',
    policy: REGISTRIES,
    changes: [change(ACME, acme({ image: 'evil.io/x' }), acme({ image: 'evil.io/x', owner: 'b' }))],
    expected: [],
  },
  {
    name: 'an image of a group',
    policy: REGISTRIES,
    changes: [change(groupPath('a'), group('a', 5), group('a', 5, { image: 'evil.io/x' }))],
    expected: [['/spec/image', /evil\.io/]],
  },
  {
    name: 'the image of the settings',
    policy: REGISTRIES,
    changes: [
      change(
        FLEET_PATH,
        settings(),
        settings({ defaults: { ...settings().spec.defaults, image: 'evil.io/x' } }),
      ),
    ],
    expected: [['/spec/defaults/image', /evil\.io/]],
  },
  {
    name: 'the largest size',
    policy: { largestSize: '5000users' },
    changes: [request({ size: '5000users' })],
    expected: [],
  },
  {
    name: 'a larger size',
    policy: { largestSize: '5000users' },
    changes: [request({ size: '25000users' })],
    expected: [['/spec/size', /size 25000users is larger than 5000users/]],
  },
  {
    name: 'a large size that was there',
    policy: { largestSize: '100users' },
    changes: [change(ACME, acme({ size: '5000users' }), acme({ size: '5000users', owner: 'b' }))],
    expected: [],
  },
  {
    name: 'too many replicas',
    policy: { mostReplicas: 4 },
    changes: [request({ size: 'provisionerXL-5' })],
    expected: [['/spec/size', /has 5 replicas, and .* allows 4/]],
  },
  {
    name: 'a large installation that moves',
    policy: { largestSize: '100users' },
    changes: [
      change(ACME, acme({ size: '5000users' }), undefined),
      change(
        installationPath('prod-2', id(1)),
        undefined,
        acme({ size: '5000users', placement: { cluster: 'prod-2' } }),
      ),
    ],
    expected: [],
  },
  {
    name: 'a removed installation',
    policy: { deletions: false },
    changes: [
      change(ACME, acme(), undefined),
      change(tombstonePath('prod-1', id(1)), undefined, tombstone()),
    ],
    expected: [['', /installation acme would be deleted, .* through the API/]],
  },
  {
    name: 'a moved installation',
    policy: { deletions: false },
    changes: [
      change(ACME, acme(), undefined),
      change(installationPath('prod-2', id(1)), undefined, acme({ placement: { cluster: 'prod-2' } })),
    ],
    expected: [],
  },
  {
    name: 'a deletion that is asked for',
    policy: { deletions: false },
    changes: [
      change(ACME, acme(), acme({ operation: { kind: 'deletion', generation: 2, requestedAt: CREATED_AT } })),
    ],
    expected: [['', /would be deleted/]],
  },
  {
    name: 'a removed group',
    policy: { deletions: false },
    changes: [change(groupPath('a'), group('a', 5), undefined)],
    expected: [['', /group a would be deleted/]],
  },
  {
    name: 'deletions when they are allowed',
    policy: { deletions: true },
    changes: [change(groupPath('a'), group('a', 5), undefined)],
    expected: [],
  },
  {
    name: 'settings of others',
    policy: { owners: [{ kind: 'Fleet', ...PLATFORM }] },
    changes: [change(FLEET_PATH, settings(), settings({ environment: 'x' }))],
    author: GRACE,
    expected: [
      ['', /grace may not change the settings of the fleet, .* ask team acme\/platform for the pull request/],
    ],
  },
  {
    name: 'settings of the own team',
    policy: { owners: [{ kind: 'Fleet', ...PLATFORM }] },
    changes: [change(FLEET_PATH, settings(), settings({ environment: 'x' }))],
    author: ADA,
    expected: [],
  },
  {
    name: 'the last entry counts',
    policy: {
      owners: [
        { kind: 'Cluster', ...PLATFORM },
        { kind: 'Cluster', names: ['test-*'], logins: ['GRACE'] },
      ],
    },
    changes: [
      change(clusterPath('test-1'), undefined, cluster('test-1', 3)),
      change(clusterPath('prod-1'), undefined, cluster('prod-1', 4)),
    ],
    author: GRACE,
    expected: [['', /grace may not change cluster prod-1/]],
  },
  {
    name: 'nobody may',
    policy: { owners: [{ kind: 'SharedDatabase' }, { kind: 'Cluster' }] },
    changes: [change(clusterPath('prod-1'), undefined, cluster('prod-1', 4))],
    author: ADA,
    expected: [['', /nobody may by a pull request/]],
  },
  {
    name: 'an installation of another owner',
    policy: { owners: [{ kind: 'Installation', installationOwners: ['globex'], logins: ['ada'] }] },
    changes: [request({})],
    author: GRACE,
    expected: [['', /grace may not change the request for globex/]],
  },
  {
    name: 'an installation that is taken over',
    policy: { owners: [{ kind: 'Installation', installationOwners: ['own*'], logins: ['ada'] }] },
    changes: [change(ACME, acme(), acme({ owner: 'grace' }))],
    author: GRACE,
    expected: [['', /grace may not change installation acme/]],
  },
  {
    name: 'its tombstone',
    policy: { owners: [{ kind: 'Installation', installationOwners: ['owner'], logins: ['ada'] }] },
    changes: [change(tombstonePath('prod-1', id(1)), undefined, tombstone())],
    author: GRACE,
    expected: [['', /grace may not change installation acme/]],
  },
  {
    name: 'other files',
    policy: { owners: [{ kind: 'Other', names: ['.github/*'], ...PLATFORM }] },
    changes: [],
    paths: ['.github/workflows/a.yml', 'README.md', ACME],
    author: GRACE,
    expected: [['', /may not change \.github\/workflows\/a\.yml/]],
  },
  {
    name: 'the version of a protected group',
    policy: { protectedGroups: [{ names: ['prod-*'], versions: PLATFORM }] },
    changes: [change(groupPath('prod-a'), group('prod-a', 5), group('prod-a', 5, { version: '11.3.0' }))],
    author: GRACE,
    expected: [['/spec', /may not change what members of group prod-a run/]],
  },
  {
    name: 'its description',
    policy: { protectedGroups: [{ names: ['prod-*'], versions: PLATFORM }] },
    changes: [change(groupPath('prod-a'), group('prod-a', 5), group('prod-a', 5, { description: 'x' }))],
    author: GRACE,
    expected: [],
  },
  {
    name: 'a new member',
    policy: { protectedGroups: [{ names: ['prod-*'], members: { logins: ['ada'] } }] },
    changes: [request({ group: 'prod-a' })],
    author: GRACE,
    expected: [['/spec/group', /may not bring installations into group prod-a, .* ask ada/]],
  },
  {
    name: 'a member that stays',
    policy: { protectedGroups: [{ names: ['*'], members: {} }] },
    changes: [change(ACME, acme({ group: 'a' }), acme({ group: 'a', owner: 'x' }))],
    author: GRACE,
    expected: [],
  },
  {
    name: 'nobody in particular',
    policy: {
      owners: [{ kind: 'Fleet' }],
      protectedGroups: [{ names: ['*'], members: {} }],
      largestSize: '100users',
    },
    changes: [request({ group: 'prod-a', size: '5000users' })],
    author: undefined,
    expected: [['/spec/size', /larger/]],
  },
]

test('what a pull request may ask for, and who may', (t) => {
  for (const { name, policy, changes, paths = [], author, expected } of CASES) {
    const main = { settings: settings({ changePolicy: { pullRequests: policy } }) }
    const found = policyProblems(main, { changes, paths, author })
    t.equal(found.length, expected.length, name)
    t.match(
      found,
      expected.map(([pointer, detail]) => ({ pointer, detail, code: 'change-policy' })),
      name,
    )
  }
  t.end()
})

test('the teams that the rules name are asked for, each once', (t) => {
  const pullRequests: PullRequestPolicy = {
    owners: [{ kind: 'Fleet', teams: ['b', 'a'] }],
    protectedGroups: [{ names: ['*'], members: { teams: ['a'] }, versions: { teams: ['c'] } }],
  }
  t.same(policyTeams(settings({ changePolicy: { pullRequests } })), ['a', 'b', 'c'])
  t.same(policyTeams(settings()), [])
  t.end()
})

test('patterns say what they look like, and none takes long', (t) => {
  const segment = fc.stringMatching(/^[ab*]{0,8}$/)
  fc.assert(
    fc.property(segment, fc.stringMatching(/^[ab]{0,10}$/), (pattern, text) => {
      const expected = new RegExp(`^${pattern.replaceAll('*', '.*')}$`).test(text)
      t.equal(matches(pattern, text), expected, `${pattern} ${text}`)
    }),
    { numRuns: 500 },
  )
  t.equal(matches('*a'.repeat(1_000), 'a'.repeat(100_000).concat('b')), false)
  t.end()
})

test('images are of the registry that would be asked for them', (t) => {
  const rows = [
    ['mattermost/x', 'docker.io/mattermost', true],
    ['index.docker.io/mattermost/x', 'mattermost', true],
    ['docker.io/mattermost-evil/x', 'docker.io/mattermost', false],
    ['nginx', 'docker.io/library', true],
    ['registry.example.com', 'registry.example.com', false],
    ['registry.example.com/x', 'registry.example.com', true],
    ['registry.example.com.evil.io/x', 'registry.example.com', false],
    ['registry.example.com:444/x', 'registry.example.com', false],
    ['localhost:5000/x', 'localhost:5000/', true],
  ] as const
  for (const [image, registry, expected] of rows)
    t.equal(imageIn(image, registry), expected, `${image} ${registry}`)
  t.end()
})
