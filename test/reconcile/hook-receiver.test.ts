import { createHmac } from 'node:crypto'
import { test } from 'tap'
import { readGiteaHook } from '../../src/forge/gitea/hook.ts'
import type { Clock } from '../../src/ports/clock.ts'
import type { HookReceiver } from '../../src/ports/pull-requests.ts'
import { createHookReceiver } from '../../src/reconcile/pull-requests/hooks.ts'
import { systemClock } from '../../src/system/clock.ts'

const SECRET = 'for-tests-only'

interface Bed {
  readonly receiver: HookReceiver
  /** What was done, in order. */
  readonly seen: string[]
  readonly time: { now: number }
}

function bed(secret: () => Promise<string | undefined> = async () => SECRET): Bed {
  const seen: string[] = []
  const time = { now: 0 }
  const clock: Clock = { ...systemClock, monotonic: () => time.now }
  const receiver = createHookReceiver({
    ...{ kind: 'gitea', read: readGiteaHook, secret, repository: 'Team/fleet', clock },
    onPullRequest: (number) => void seen.push(`pull request ${number}`),
    onPush: (ref) => void seen.push(ref),
    metrics: { hook: (outcome) => void seen.push(outcome) },
  })
  return { receiver, seen, time }
}

interface Sent {
  readonly event?: string
  readonly delivery?: string
  readonly repository?: string
  readonly secret?: string
}

function hook(number: number, { event = 'pull_request', delivery = `d-${number}`, ...more }: Sent = {}) {
  const { repository = 'team/fleet', secret = SECRET } = more
  const named = { repository: { full_name: repository } }
  const content = event === 'push' ? { ref: 'refs/heads/main' } : { pull_request: { number } }
  const body = Buffer.from(JSON.stringify({ ...named, ...content }))
  const signature = createHmac('sha256', secret).update(body).digest('hex')
  const headers = { 'x-gitea-event': event, 'x-gitea-delivery': delivery, 'x-gitea-signature': signature }
  return { headers, body }
}

test('a hook that its signature proves says where to look; a push too', async (t) => {
  const { receiver, seen } = bed()
  await receiver.receive(hook(7))
  await receiver.receive(hook(8, { event: 'push' }))
  t.same(seen, ['taken', 'pull request 7', 'taken', 'refs/heads/main'])
})

test('one that is forged, or of another repository, does nothing', async (t) => {
  const { receiver, seen } = bed()
  await t.rejects(receiver.receive(hook(7, { secret: 'guessed' })), { code: 'unauthenticated' })
  await t.rejects(receiver.receive(hook(7, { repository: 'team/other' })), { code: 'forbidden' })
  t.same(seen, ['refused', 'refused'])
})

test('one that is replayed is answered alike and costs nothing; a forged one does not use its delivery up', async (t) => {
  const { receiver, seen } = bed()
  await t.rejects(receiver.receive(hook(7, { secret: 'guessed' })), { code: 'unauthenticated' })
  await receiver.receive(hook(7))
  await receiver.receive(hook(7))
  t.same(seen, ['refused', 'taken', 'pull request 7', 'replayed'])
})

test('without a secret none is taken, and a new one is noticed', async (t) => {
  let secret: string | undefined
  const { receiver } = bed(async () => secret)
  await t.rejects(receiver.receive(hook(7)), { code: 'not-found', message: /forge-hook-secret-file/ })
  secret = SECRET
  await receiver.receive(hook(7))
})

test('more than a forge sends are refused before their signature is looked at, and later ones are taken again', async (t) => {
  const { receiver, time, seen } = bed()
  const forged = Array.from({ length: 300 }, (_, at) => receiver.receive(hook(at, { secret: 'guessed' })))
  const codes = (await Promise.allSettled(forged)).map((one) =>
    one.status === 'rejected' ? one.reason.code : 'taken',
  )
  t.equal(codes.filter((code) => code === 'unauthenticated').length, 200)
  t.equal(codes.filter((code) => code === 'too-many-requests').length, 100)
  time.now += 1_000
  await receiver.receive(hook(7))
  t.equal(seen.at(-1), 'pull request 7')
})
