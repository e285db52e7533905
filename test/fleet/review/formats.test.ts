import fc from 'fast-check'
import { test } from 'tap'
import { githubCommands } from '../../../src/fleet/review/formats/github-commands.ts'
import { codeQualityOf } from '../../../src/fleet/review/formats/gitlab-code-quality.ts'
import { plainText } from '../../../src/fleet/review/formats/plain-text.ts'
import { sarifOf } from '../../../src/fleet/review/formats/sarif.ts'
import { anyText } from '../../support/hostile-texts.ts'
import { violationsOf } from '../../support/published-schemas.ts'
import { planWith, problem, reviewPlan } from '../../support/review-plans.ts'

test('SARIF is valid with any text, and its rules explain themselves', async (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const log = sarifOf(planWith(text), '1.2.3')
      const uri = log.runs[0]?.results?.[0]?.locations?.[0]?.physicalLocation?.artifactLocation?.uri ?? '?'
      t.match(uri, /^(?:[A-Za-z0-9\-_.!~*'()/]|%[0-9A-F]{2})*$/)
      t.equal(decodeURIComponent(uri), text.toWellFormed())
    }),
    { numRuns: 200 },
  )
  const log = sarifOf(
    reviewPlan({
      problems: [
        problem('requests/a b.yaml', 7, 'dns-taken', 'taken'),
        problem('.', 0, 'too-many-changes', 'too much'),
      ],
      warnings: [problem('groups/x.yaml', 0, 'new-code', 'odd')],
    }),
    '1.2.3',
  )
  t.strictSame(violationsOf('sarif-2.1.0-rtm.5', log), [])
  t.not(violationsOf('sarif-2.1.0-rtm.5', { ...log, version: '9' }).length, 0, 'the schema refuses')
  t.match(log.runs[0]?.tool.driver.rules, [
    { id: 'dns-taken', help: { text: 'Choose another DNS name.' } },
    { id: 'new-code', shortDescription: { text: 'new-code' } },
    { id: 'too-many-changes', help: { text: /several pull requests/ } },
  ])
  t.match(log.runs[0]?.results, [
    { level: 'error', locations: [{ physicalLocation: { artifactLocation: { uri: 'fleet.yaml' } } }] },
    {
      level: 'error',
      locations: [
        {
          physicalLocation: {
            artifactLocation: { uri: 'requests/a%20b.yaml' },
            region: { startLine: 7, startColumn: 3 },
          },
        },
      ],
    },
    { level: 'warning', ruleIndex: 1 },
  ])
})

test('fingerprints tell problems apart, and stay when lines move', async (t) => {
  const at = (line: number) => problem('a.yaml', line, 'guarded', `wrong at ${line}`)
  const fingerprints = (...lines: readonly number[]) =>
    codeQualityOf(reviewPlan({ problems: lines.map(at) })).map(({ fingerprint }) => fingerprint)
  t.equal(new Set(fingerprints(1, 2, 3)).size, 3)
  t.strictSame(fingerprints(1, 2), fingerprints(11, 12))
})

test('a workflow command is one line, whatever its texts', async (t) => {
  fc.assert(
    fc.property(anyText, (text) => {
      const lines = githubCommands(planWith(text))
      t.equal(lines.length, 2)
      for (const line of lines) {
        const [, properties = ''] = /^::(?:error|warning) (.*?)::/.exec(line) ?? []
        t.notMatch(line, /[\r\n]/)
        t.strictSame(
          properties
            .split(',')
            .map((one) => one.split('=')[0])
            .filter((key) => !['file', 'line', 'col', 'title'].includes(key ?? '')),
          [],
        )
      }
    }),
  )
  t.strictSame(
    githubCommands(reviewPlan({ problems: [problem('a,b:c%.yaml', 2, 'guarded', '100%\nmore')] })),
    [
      '::error file=a%2Cb%3Ac%25.yaml,line=2,col=3,title=A guard refuses this change (guarded)::100%25\\u{a}more',
    ],
  )
  t.strictSame(githubCommands(reviewPlan({ warnings: [problem('.', 0, 'waits', 'none fits')] })), [
    '::warning title=No cluster fits now (waits)::none fits',
  ])
})

test('no line of the text is a command of a runner', async (t) => {
  const commands = fc.constantFrom(
    '::error::x',
    ' ::stop-commands::x',
    '##[error]x',
    'a\n::error::x',
    'a\r\u001b[0Ksection_start:1:x',
  )
  fc.assert(
    fc.property(fc.oneof(commands, anyText), (text) => {
      for (const line of plainText(planWith(text))) t.notMatch(line, /[\r\n\u001b]|^\s*::|##\[/)
    }),
  )
})
