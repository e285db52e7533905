import { test } from 'tap'
import { FleetError, type ErrorCode } from '../../src/fleet/errors.ts'
import type { ForgeAccess } from '../../src/ports/forge.ts'
import { accessAtStart } from '../../src/reconcile/pull-requests/access.ts'
import { hurriedClock } from '../support/hurried-clock.ts'

const ACCESS: ForgeAccess = {
  ...{ login: 'fleetwright', canPush: true, canReport: true, main: 'open', repository: '7' },
}

/** Answers after so many failures. */
function forgeThatFails(
  times: number,
  code: ErrorCode,
): { readonly asked: () => number; access(): Promise<ForgeAccess> } {
  let asked = 0
  return {
    asked: () => asked,
    async access() {
      asked += 1
      if (asked <= times) throw new FleetError(code, 'The forge is busy.')
      return ACCESS
    },
  }
}

test('a forge that is busy for a moment is asked again, so that another repository is seen before anything is written', async (t) => {
  const forge = forgeThatFails(3, 'forge-unavailable')
  t.strictSame(await accessAtStart(forge, hurriedClock(100)), ACCESS)
  t.equal(forge.asked(), 4)
})

test('one that is away, or does not take the token, keeps nobody waiting for long', async (t) => {
  const away = forgeThatFails(100, 'forge-unavailable')
  await t.rejects(accessAtStart(away, hurriedClock(100)), { code: 'forge-unavailable' })
  t.equal(away.asked(), 4)
  const denied = forgeThatFails(100, 'forge-denied')
  await t.rejects(accessAtStart(denied, hurriedClock(100)), { code: 'forge-denied' })
  t.equal(denied.asked(), 1)
})
