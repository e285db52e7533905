import { test } from 'tap'
import { pushPace } from '../../src/cli/push-pace.ts'

const CASES: readonly (readonly [
  fleet: string | undefined,
  told: string | undefined,
  perMinute: number | undefined,
])[] = [
  [undefined, undefined, undefined],
  ['/srv/fleet.git', undefined, undefined],
  ['https://git.example.com/acme/fleet.git', undefined, undefined],
  ['https://github.com/acme/fleet.git', undefined, 6],
  ['https://GitHub.com/acme/fleet', undefined, 6],
  ['git@github.com:acme/fleet.git', undefined, 6],
  ['ssh://git@gitlab.com/acme/fleet.git', undefined, 60],
  ['https://github.com.example.com/acme/fleet', undefined, undefined],
  ['https://github.com/acme/fleet', '0', undefined],
  ['https://github.com/acme/fleet', '30', 30],
  [undefined, '30', 30],
]

for (const [fleet, told, perMinute] of CASES)
  test(`${fleet ?? 'the embedded repository'}, told ${told ?? 'nothing'}`, async (t) => {
    const pace = pushPace({ fleet, 'push-per-minute': told, 'push-burst': '10' })
    t.same(pace, perMinute === undefined ? undefined : { perMinute, burst: 10 })
  })
