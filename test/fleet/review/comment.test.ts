import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { test } from 'tap'
import { commentOf } from '../../../src/fleet/review/comment.ts'
import { type FollowUp, followUpComment } from '../../../src/fleet/review/follow-up-comment.ts'
import type { ReviewPlan } from '../../../src/fleet/review/plan.ts'
import { reportOf } from '../../../src/fleet/review/report.ts'
import { anyText, HOSTILE } from '../../support/hostile-texts.ts'
import { id } from '../../support/intents.ts'
import { structureOf, textOutsideCode } from '../../support/markdown.ts'
import { affected, anyPlan, difference, planWith, problem, reviewPlan } from '../../support/review-plans.ts'

const GOLDEN = join(import.meta.dirname, '../../golden/comments')
const PUBLIC = { publicUrl: 'https://fleetwright.example.com' }

const PLANS: Readonly<Record<string, ReviewPlan>> = {
  nothing: reviewPlan(),
  problems: reviewPlan({
    problems: [
      problem(
        'requests/initech.yaml',
        7,
        'dns-taken',
        'the DNS name acme.cloud.example.com is in use by installation acme; choose another one',
      ),
      problem(
        'clusters/prod-1/system/README.md',
        0,
        'edited-manifest',
        'this rendered file is not what its document renders to; run fleetwright render, or leave it as it was',
      ),
    ],
    warnings: [
      problem(
        'groups/canary.yaml',
        9,
        'guarded',
        'the group is protected; somebody of @org/fleet has to approve',
      ),
    ],
  }),
  'new-workspace': reviewPlan({
    placements: [
      {
        subject: 'Create installation initech on prod-1',
        body: 'Asked for in requests/initech.yaml\nAddress: initech.cloud.example.com\nVersion: 11.2.0, size: 100users\nPlacement: least loaded of 2 clusters that fit: 2 of 400 installations',
        trailers: {},
      },
    ],
    objects: [difference('initech', { change: 'added', fields: [] })],
    impact: {
      ...reviewPlan().impact,
      added: [affected('initech', 3, { effect: 'is made at initech.cloud.example.com', costAfter: 'small' })],
      clusters: [{ cluster: 'prod-1', before: 2, after: 3, limit: 400 }],
    },
  }),
  everything: reviewPlan({
    head: undefined,
    warnings: [problem('groups/canary.yaml', 4, 'guarded', 'the whole group changes')],
    objects: [
      difference('globex'),
      difference('hooli', { change: 'removed', cluster: 'prod-2', fields: [] }),
    ],
    impact: {
      added: [affected('prod-3', 30, { kind: 'cluster', cluster: undefined, effect: 'is new' })],
      changed: [
        affected('globex', 2, {
          effect: 'its pods are replaced (version 11.2.0 → 11.3.0)',
          costBefore: 'small',
          costAfter: 'small',
        }),
        affected('umbrella', 4, { costBefore: 'small', costAfter: 'large' }),
      ],
      removed: [
        affected('hooli', 5, {
          cluster: 'prod-2',
          effect: 'goes away: its database is kept, its files are deleted',
          costBefore: 'medium',
        }),
      ],
      clusters: [{ cluster: 'prod-1', before: 80, after: 81, limit: 80, limitBefore: 400 }],
      waves: [
        { group: 'canary', members: 120, maxRolling: 5, atOnce: false },
        { group: 'stable', members: 1, maxRolling: 1, atOnce: true },
      ],
      shared: [
        {
          kind: 'fleet',
          name: 'example',
          installations: 500,
          effect: 'settings of every manifest change, and pods are replaced',
        },
      ],
    },
  }),
}

const named = (name: string, number: number) => ({
  id: id(number),
  name,
  address: `${name}.cloud.example.com`,
})
const FOLLOW_UPS: readonly FollowUp[] = [
  { step: 'accepted', ...named('acme', 1) },
  {
    step: 'placed',
    ...named('globex', 2),
    cluster: 'prod-1',
    reason: 'least loaded of 2 clusters that fit: 2 of 400 installations',
  },
  {
    step: 'waiting',
    ...named('hooli', 3),
    reason: 'no cluster fits: prod-1 is full (400 of 400 installations)',
  },
  {
    step: 'live',
    ...named('initech', 4),
    cluster: 'prod-1',
    state: 'stable',
    version: '11.2.0',
    milliseconds: 125_000,
  },
  {
    step: 'stuck',
    ...named('umbrella', 5),
    cluster: 'prod-1',
    state: 'creation-in-progress',
    reason: 'pod umbrella-0 cannot be scheduled: Insufficient cpu',
  },
  {
    step: 'failed',
    ...named('stark', 6),
    cluster: 'prod-1',
    state: 'creation-failed',
    reason: 'image x:1 cannot be pulled',
    wayOut: 'correct spec.version',
  },
  {
    step: 'refused',
    path: 'requests/wayne.yaml',
    problems: [problem('requests/wayne.yaml', 4, 'dns-taken', 'the DNS name is in use')],
  },
]

test('comments read as their golden files', async (t) => {
  mkdirSync(GOLDEN, { recursive: true })
  const [, , , live] = FOLLOW_UPS
  const texts: Readonly<Record<string, string>> = {
    ...Object.fromEntries(Object.entries(PLANS).map(([name, plan]) => [name, commentOf(plan, PUBLIC)])),
    'everything-summary': reportOf(PLANS.everything ?? reviewPlan()).summary,
    'follow-up': followUpComment(FOLLOW_UPS, PUBLIC),
    'follow-up-live': followUpComment(live === undefined ? [] : [live]),
  }
  for (const [name, text] of Object.entries(texts)) {
    const path = join(GOLDEN, `${name}.md`)
    if (process.env.GOLDEN === 'write') writeFileSync(path, text)
    t.equal(text, existsSync(path) ? readFileSync(path, 'utf8') : '', name)
  }
})

/** What is ours outside of code, besides plain words: marks, bars of the footer, arrows. */
const OWN = /✅|❌|⚠|\ufe0f|🔴|⏳|🕓|→|\+|−|,|\(|\)/gu

test('the headline of an answer says how far all of it is', async (t) => {
  const at = (step: FollowUp['step']): FollowUp => {
    if (step === 'gone') return { step, path: 'requests/acme.yaml' }
    const found = FOLLOW_UPS.find((one) => one.step === step)
    if (found === undefined) throw new Error(`there is no example of ${step}`)
    return found
  }
  const cases: readonly (readonly [readonly FollowUp['step'][], string])[] = [
    [['placed'], '⏳ The workspace is on its way'],
    [['waiting'], '⏳ The workspace will be live later'],
    [['failed'], '❌ The workspace will not be live without help'],
    [['live'], '✅ The workspace is live'],
    [['gone'], 'Taken back'],
    [['live', 'placed'], '⏳ 1 of 2 workspaces is live'],
    [['placed', 'placed'], '⏳ 0 of 2 workspaces are live'],
    [['live', 'live', 'waiting'], '⏳ 2 of 3 workspaces are live; 1 workspace will be later'],
    [['live', 'refused'], '❌ 1 of 2 workspaces is live; 1 workspace will not be without help'],
    [['live', 'live'], '✅ All 2 workspaces are live'],
  ]
  for (const [steps, headline] of cases)
    t.equal(followUpComment(steps.map(at)).split('\n')[0], `### ${headline}`, steps.join(', '))
})

test('no text of a pull request changes what a comment is made of', async (t) => {
  const plain = structureOf(commentOf(planWith('word'), PUBLIC))
  t.ok(plain.includes('details') && plain.includes('table') && plain.includes('pre'))
  const summary = structureOf(reportOf(planWith('word')).summary)
  fc.assert(
    fc.property(anyText, (text) => {
      const comment = commentOf(planWith(text), PUBLIC)
      t.strictSame(structureOf(comment), plain, JSON.stringify(text))
      t.strictSame(structureOf(reportOf(planWith(text)).summary), summary)
      t.match(textOutsideCode(comment).replaceAll(OWN, ''), /^[A-Za-z0-9\s"'.;:?–…]*$/)
    }),
    { numRuns: 200, examples: HOSTILE.map((text) => [text]) },
  )
})

test('a comment is never larger than a forge takes, never broken by it, and says that it is shortened', async (t) => {
  fc.assert(
    fc.property(anyPlan(anyText), (plan) => {
      const text = commentOf(plan, PUBLIC)
      t.ok(text.length <= 60_000, `${text.length}`)
      t.ok(reportOf(plan).summary.length <= 20_000)
      const tags = structureOf(text)
      const count = (tag: string): number => tags.filter((found) => found === tag).length
      for (const tag of ['details', 'summary', 'table', 'pre', 'ul', 'li'])
        t.equal(count(tag), count(`/${tag}`), tag)
      t.equal(commentOf(structuredClone(plan), PUBLIC), text, 'the same again')
    }),
    { numRuns: 60 },
  )
  const large = reviewPlan({
    problems: [problem('a.yaml', 1, 'invalid-document', 'wrong')],
    objects: Array.from({ length: 90 }, (_, at) =>
      difference(`i${at}`, { diff: `+${'long line '.repeat(20)}\n`.repeat(200) }),
    ),
  })
  const text = commentOf(large)
  t.match(text, /Shortened: a comment has no room/)
  t.match(text, /^and \d+ more$/m)
  t.match(text, /a\.yaml:1:3/, 'what matters most stays')
  t.match(text, /… 80 more lines/)
  t.notMatch(commentOf(reviewPlan()), /Shortened/)
})

test('many rows are cut with a number, whatever their order', async (t) => {
  const changed = Array.from({ length: 70 }, (_, at) => affected(`i${at}`, at))
  const text = commentOf(reviewPlan({ impact: { ...reviewPlan().impact, changed } }))
  t.match(text, /^and 20 more$/m)
  t.match(text, /^70 change\.$/m)
  const problems = [2, 3, 1].map((line) => problem('a.yaml', line, 'guarded', 'wrong'))
  t.equal(commentOf(reviewPlan({ problems })), commentOf(reviewPlan({ problems: problems.toReversed() })))
})

test('a report fails with a problem, and its annotations are bounded and stand on their lines', async (t) => {
  const many = Array.from({ length: 300 }, (_, at) =>
    problem('a.yaml', at + 1, 'dns-taken', 'see @ada\nor #1'),
  )
  const { result, title, annotations } = reportOf(reviewPlan({ problems: many, warnings: many }))
  t.equal(result, 'failure')
  t.equal(title, '300 problems: a.yaml: The DNS name is taken')
  t.equal(annotations.length, 100)
  t.same(annotations[0], {
    path: 'a.yaml',
    line: 1,
    column: 3,
    level: 'failure',
    title: 'The DNS name is taken',
    message: 'see `@ada` or `#1`',
  })
  const fine = reportOf(reviewPlan({ warnings: [problem('b.yaml', 0, 'edited-manifest', 'odd')] }))
  t.match(fine, {
    result: 'success',
    title: '1 warning; Nothing changes for any installation.',
    annotations: [{ level: 'warning', line: 0, title: 'A rendered file was edited' }],
  })
  fc.assert(
    fc.property(anyText, (text) => {
      const report = reportOf(planWith(text))
      t.ok(report.title.length <= 140)
      t.notMatch(report.title, /\p{Cc}|\p{Cf}/u)
    }),
  )
})

test('follow-ups keep their structure with any text, and their size', async (t) => {
  const all = (text: string): readonly FollowUp[] =>
    FOLLOW_UPS.map((one): FollowUp => {
      if (one.step === 'refused') return { ...one, path: text, problems: [problem(text, 1, 'guarded', text)] }
      const renamed = { ...one, name: text, id: text }
      return 'reason' in renamed ? { ...renamed, reason: text } : renamed
    })
  const plain = structureOf(followUpComment(all('word'), PUBLIC))
  fc.assert(
    fc.property(anyText, (text) => t.strictSame(structureOf(followUpComment(all(text), PUBLIC)), plain)),
    { examples: HOSTILE.map((text) => [text]) },
  )
  const many = Array.from({ length: 300 }, () => FOLLOW_UPS).flat()
  const text = followUpComment(many)
  t.ok(text.length < 61_000)
  t.match(text, /^and 2000 more$/m)
  const hostile: FollowUp = {
    step: 'live',
    id: 'x',
    name: 'x',
    address: 'a](https://evil)',
    cluster: 'c',
    state: 's',
    version: 'v',
    milliseconds: 1,
  }
  t.notMatch(structureOf(followUpComment([hostile])), ['a'], 'no link of what is no DNS name')
})
