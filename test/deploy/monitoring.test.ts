/** Dashboards and alerts name what the server really tells, and every alert is raised by what it is for. */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { parse } from 'yaml'
import { send } from '../support/api.ts'
import { ROOT } from '../support/command-line.ts'
import { startTestServer } from '../support/server.ts'

const DEPLOY = join(ROOT, 'deploy')
const RULES = join(DEPLOY, 'prometheus/fleetwright-alerts.yaml')
const RULE_TESTS = join(DEPLOY, 'prometheus/fleetwright-alerts.test.yaml')
const PROMTOOL = process.env.PROMTOOL ?? 'promtool'
const noPromtool =
  spawnSync(PROMTOOL, ['--version']).status === 0
    ? false
    : 'promtool is not here (Debian: package prometheus); PROMTOOL names another one'

interface Rule {
  readonly alert: string
  readonly expr: string
}
const rules: readonly Rule[] = parse(readFileSync(RULES, 'utf8')).groups.flatMap(
  (group: { readonly rules: readonly Rule[] }) => group.rules,
)

interface Panel {
  readonly title: string
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number }
  readonly targets: readonly { readonly expr: string }[]
}
interface Dashboard {
  readonly title: string
  readonly panels: readonly Panel[]
  readonly templating: { readonly list: readonly { readonly query: unknown }[] }
}
const dashboards: readonly Dashboard[] = readdirSync(join(DEPLOY, 'grafana')).map((name) =>
  JSON.parse(readFileSync(join(DEPLOY, 'grafana', name), 'utf8')),
)

/** Metric to type, as a running server tells them. */
const server = await startTestServer('all')
const told = new Map<string, string>()
for (const [, name = '', type = ''] of (
  await send(server.url, 'GET', '/metrics', { token: null })
).text.matchAll(/^# TYPE (\S+) (\S+)$/gm))
  told.set(name, type)

/** Series of expressions that no metric has; a histogram has three. */
function unknownSeries(expressions: readonly string[]): readonly string[] {
  const named = expressions.flatMap((expression) => expression.match(/\bfleetwright_\w+/g) ?? [])
  return named.filter((series) => {
    const base = series.replace(/_(?:bucket|sum|count)$/, '')
    return (
      !(told.get(base) === 'histogram' && base !== series) &&
      (told.get(series) ?? 'histogram') === 'histogram'
    )
  })
}

test('every alert asks for what the server tells', async (t) => {
  t.ok(rules.length > 0)
  for (const { alert, expr } of rules) {
    t.match(expr, /fleetwright_/, alert)
    t.strictSame(unknownSeries([expr]), [], alert)
  }
  t.strictSame(unknownSeries(['fleetwright_nothing > 0']), ['fleetwright_nothing'], 'a wrong name is seen')
  t.strictSame(unknownSeries(['fleetwright_event_lag_seconds']), ['fleetwright_event_lag_seconds'])
})

test('every panel asks for what the server tells, and none hides another', async (t) => {
  t.ok(dashboards.length > 0)
  for (const { title, panels, templating } of dashboards) {
    for (const panel of panels) {
      t.ok(panel.targets.length > 0, panel.title)
      t.strictSame(unknownSeries(panel.targets.map(({ expr }) => expr)), [], `${title}: ${panel.title}`)
    }
    t.strictSame(unknownSeries(templating.list.map(({ query }) => JSON.stringify(query))), [], title)
    const places = panels.flatMap(({ gridPos: { x, y, w, h } }) =>
      Array.from({ length: w * h }, (_, at) => `${x + (at % w)} ${y + Math.floor(at / w)}`),
    )
    t.equal(new Set(places).size, places.length, title)
  }
})

test('every metric of observation has a place on the dashboard or in an alert', async (t) => {
  const used = [
    ...rules.map(({ expr }) => expr),
    ...dashboards.flatMap(({ panels }) => panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))),
  ].join('\n')
  const observed = [...told.keys()].filter((name) =>
    /^fleetwright_(?:installation|drift|cluster_c|event|deliver|dead|commit|watch|nudge)/.test(name),
  )
  t.ok(observed.length >= 10)
  for (const name of observed) t.match(used, new RegExp(`\\b${name}`), name)
})

test('every alert has a test that it is raised by, and one that it is not', async (t) => {
  interface Case {
    readonly alertname: string
    readonly exp_alerts: readonly unknown[]
  }
  const cases: readonly Case[] = parse(readFileSync(RULE_TESTS, 'utf8')).tests.flatMap(
    (one: { readonly alert_rule_test: readonly Case[] }) => one.alert_rule_test,
  )
  for (const { alert } of rules) {
    const mine = cases.filter(({ alertname }) => alertname === alert)
    t.ok(
      mine.some(({ exp_alerts }) => exp_alerts.length > 0),
      `${alert} is raised`,
    )
    t.ok(
      mine.some(({ exp_alerts }) => exp_alerts.length === 0),
      `${alert} is not raised`,
    )
  }
})

test('promtool takes the rules, and their tests pass', { skip: noPromtool }, async (t) => {
  for (const args of [
    ['check', 'rules', RULES],
    ['test', 'rules', RULE_TESTS],
  ]) {
    const { status, stdout, stderr } = spawnSync(PROMTOOL, args, { encoding: 'utf8' })
    t.equal(status, 0, `${stdout}${stderr}`)
  }
})

test('the server closes', (t) => t.resolves(server.close()))
