import fc from 'fast-check'
import { test } from 'tap'
import { clashKey, isGitFile, nameProblem, pathProblem } from '../../../src/fleet/review/path-names.ts'
import {
  clusterPath,
  FLEET_PATH,
  groupPath,
  installationPath,
  manifestPath,
} from '../../../src/fleet/paths.ts'
import { id } from '../../support/intents.ts'

test('names of the layout, of CI and of people are fine', (t) => {
  const paths = [
    FLEET_PATH,
    clusterPath('prod-1'),
    groupPath('canary'),
    installationPath('prod-1', id(1)),
    manifestPath('prod-1', id(1)),
    'control/argocd/_fleet.yaml',
    '.github/workflows/check.yml',
    '.gitlab-ci.yml',
    '.gitea/workflows/check.yaml',
    'README.md',
    'docs/Räume und Pläne.md',
    'docs/日本語notes.md',
    'console.md',
  ]
  for (const path of paths) {
    t.same(path.split('/').map(nameProblem).filter(Boolean), [], path)
    t.equal(pathProblem(path), undefined, path)
  }
  t.end()
})

test('names that look alike have one key', (t) => {
  const pairs = [
    ['Groups', 'groups'],
    ['cafe\u0301', 'café'],
    ['Straße', 'STRASSE'],
    ['ﬁle', 'file'],
    ['аре', 'ape'],
    ['сlusters', 'clusters'],
    ['a\u200bb', 'ab'],
    ['readme.', 'readme'],
  ] as const
  for (const [a, b] of pairs) t.equal(clashKey(a), clashKey(b), `${a} ${b}`)
  t.not(clashKey('prod-1'), clashKey('prod-2'))
  t.end()
})

test('a name without a problem is what it looks like', (t) => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 12 }), (name) => {
      if (nameProblem(name) !== undefined) return
      t.ok(name !== '' && !/[/\\\p{Cc}\p{Bidi_Control}\p{Default_Ignorable_Code_Point}]/u.test(name))
      t.equal(name, name.normalize('NFC'))
      t.notOk(isGitFile(name))
      t.notOk(/^\.{1,2}$|[ .]$/.test(name))
    }),
    { numRuns: 2_000 },
  )
  t.end()
})
