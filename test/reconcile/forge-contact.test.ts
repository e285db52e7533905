import { test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import type { Clock } from '../../src/ports/clock.ts'
import { ForgeContact } from '../../src/reconcile/pull-requests/forge-contact.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'

function contact() {
  const time = { now: 0 }
  const clock: Clock = { ...systemClock, monotonic: () => time.now }
  const failures: string[] = []
  const onFailure = (code: string): void => void failures.push(code)
  return { contact: new ForgeContact({ clock, randomness: systemRandomness, onFailure }), time, failures }
}

function refused(code: 'forge-unavailable' | 'forge-denied' | 'forge-refused', data = {}) {
  return async (): Promise<never> => {
    throw new FleetError(code, 'as the test wants it', data)
  }
}

test('what cannot be reached is left alone for longer and longer, up to minutes, and is fine again at once', async (t) => {
  const { contact: forge, time, failures } = contact()
  const pauses: number[] = []
  for (let tries = 0; tries < 12; tries += 1) {
    await t.rejects(forge.ask(refused('forge-unavailable')), { code: 'forge-unavailable' })
    const from = time.now
    while (!forge.isOpen) time.now += 100
    pauses.push(time.now - from)
  }
  t.ok((pauses[0] ?? 0) <= 1_300 && (pauses[3] ?? 0) > 4_000, pauses.join())
  t.ok(pauses.every((pause) => pause <= 300_000 * 1.3))
  t.equal(failures.length, 12)
  t.equal(await forge.ask(async () => 'fine'), 'fine')
  t.same(forge.problems(), [])
})

test('it waits as long as the forge asks to, and no question reaches the forge meanwhile', async (t) => {
  const { contact: forge, time } = contact()
  await t.rejects(forge.ask(refused('forge-unavailable', { retryAfter: 90_000 })))
  time.now = 89_000
  let asked = 0
  const ask = forge.ask(async () => {
    asked += 1
  })
  await t.rejects(ask, { code: 'forge-unavailable' })
  t.equal(asked, 0)
  time.now = 90_000
  t.ok(forge.isOpen)
})

test('a right that is missing for one thing is a problem for a while, and everything else goes on', async (t) => {
  const { contact: forge, time } = contact()
  await t.rejects(forge.ask(refused('forge-denied', { status: 403, right: 'read:organization' })))
  t.ok(forge.isOpen)
  await forge.ask(async () => 'fine')
  t.match(forge.problems(), [{ code: 'forge-denied' }])
  time.now = 16 * 60_000
  t.same(forge.problems(), [])
})

test('nothing is said in a repository that may be another one, and it can still be looked at', async (t) => {
  const { contact: forge } = contact()
  let isHeld = true
  forge.holdWhile(() => isHeld)
  t.notOk(forge.isOpen)
  let said = 0
  const say = async (): Promise<void> => {
    said += 1
  }
  await t.rejects(forge.ask(say), { code: 'forge-unavailable', message: /in doubt/ })
  t.equal(said, 0)
  t.ok(forge.mayLook)
  t.equal(await forge.look(async () => 'fine'), 'fine')
  isHeld = false
  await forge.ask(say)
  t.equal(said, 1)
})

test('a new token is tried at once, and says nothing about a forge that is out of reach', async (t) => {
  const { contact: forge } = contact()
  await t.rejects(forge.ask(refused('forge-denied', { status: 401 })))
  forge.tokenChanged()
  t.ok(forge.isOpen)
  t.match(forge.problems(), [{ code: 'forge-denied' }], 'until it was accepted')
  await t.rejects(forge.ask(refused('forge-unavailable')))
  forge.tokenChanged()
  t.notOk(forge.isOpen)
})

test('a refusal of one request keeps nobody else waiting; a token that is not accepted does', async (t) => {
  const { contact: forge } = contact()
  await t.rejects(forge.ask(refused('forge-refused')))
  t.ok(forge.isOpen)
  await t.rejects(forge.ask(refused('forge-denied', { status: 401 })))
  t.notOk(forge.isOpen)
  t.match(forge.problems(), [{ path: '.', code: 'forge-denied' }])
})
