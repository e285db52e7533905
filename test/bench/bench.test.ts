/** The benchmark's rows and options; test/e2e runs all of its measures. */
import { spawnSync } from 'node:child_process'
import { test } from 'tap'
import { percentile, rowOf } from '../../scripts/bench/row.ts'
import { tableOf } from '../../scripts/bench/table.ts'

const ROW = { name: 'a', ours: 30, peer: 20, peerName: 'b', unit: 'x/s', aim: 1.2, better: 'higher' } as const

test('the ratio is ours by the peer, and there is none without a peer', async (t) => {
  t.equal(rowOf(ROW).ratio, 1.5)
  t.equal(rowOf({ ...ROW, peer: null }).ratio, null)
})

for (const [what, row, said] of [
  ['more, as it should', rowOf(ROW), /1\.50× +≥ 1\.2× +met +b$/],
  ['less than it should', rowOf({ ...ROW, ours: 10 }), /0\.50× +≥ 1\.2× +not met/],
  ['little, as it should', rowOf({ ...ROW, ours: 10, better: 'lower' }), /0\.50× +≤ 1\.2× +met/],
  ['no peer', rowOf({ ...ROW, peer: null }), /unavailable/],
] as const) {
  test(`the table says: ${what}`, async (t) => {
    t.match(tableOf([row]).split('\n')[1], said)
  })
}

test('percentiles are values of the list', async (t) => {
  const values = [5, 1, 4, 2, 3]
  t.equal(percentile(values, 50), 3)
  t.equal(percentile(values, 99), 5)
  t.equal(percentile(values, 0), 1)
  t.throws(() => percentile([], 50), RangeError)
})

test('--only runs one measure and prints a table', async (t) => {
  const { status, stdout, stderr } = bench('--quick', '--only', 'render')
  t.equal(status, 0, stderr)
  t.match(stdout, /^measure +ours +peer/)
  t.match(stdout, /^render .*kubectl kustomize/m)
  t.notMatch(stdout, /^burst/m)
})

test('an unknown measure is wrong use', async (t) => {
  const { status, stderr } = bench('--only', 'speed')
  t.equal(status, 2)
  t.match(stderr, /no measure speed/)
})

function bench(...args: readonly string[]): {
  readonly status: number | null
  readonly stdout: string
  readonly stderr: string
} {
  return spawnSync(process.execPath, ['scripts/bench/main.ts', ...args], { encoding: 'utf8' })
}
