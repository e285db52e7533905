/** The benchmark runs and prints what it promises; its figures are not looked at. */
import { spawnSync } from 'node:child_process'
import { test } from 'tap'

const NAMES = [
  'writer',
  'burst',
  'in-flight',
  'in-flight-embedded',
  'single',
  'signing',
  'render',
  'fleet-size',
]
const KEYS = ['aim', 'better', 'name', 'ours', 'peer', 'peerName', 'ratio', 'unit']

function bench(...args: readonly string[]): {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
} {
  return spawnSync(process.execPath, ['scripts/bench/main.ts', '--quick', ...args], { encoding: 'utf8' })
}

test('--json prints nothing but a row for each measure', async (t) => {
  const { status, stdout, stderr } = bench('--json')
  t.equal(status, 0, stderr)
  const rows: readonly Record<string, unknown>[] = JSON.parse(stdout)
  t.strictSame(
    rows.map(({ name }) => name),
    NAMES,
  )
  for (const row of rows) {
    t.strictSame(Object.keys(row).sort(), KEYS)
    t.match(row.better, /^(higher|lower)$/)
    t.ok(typeof row.ours === 'number' && row.ours > 0, `${row.name} has a figure`)
    t.ok(typeof row.aim === 'number' && row.aim > 0, `${row.name} has an aim`)
    if (row.peer === null) t.equal(row.ratio, null, 'no ratio without a peer')
    else t.equal(row.ratio, Number(row.ours) / Number(row.peer))
  }
})
