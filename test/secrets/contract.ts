/** What every secret backend promises. Run against each implementation. */
import type { Test } from 'tap'
import type { SecretBackend } from '../../src/ports/secrets.ts'

const CANARY = 'canary-3f1b7c-never-shown'

export interface SecretBackendUnderTest {
  readonly backend: SecretBackend
  /** The same store opened again, as another process sees it. */
  readonly reopen: () => Promise<SecretBackend>
}

export async function checkSecretBackend(
  t: Test,
  open: (t: Test) => Promise<SecretBackendUnderTest>,
): Promise<void> {
  await t.test('a value comes back as it was, also for another process', async (t) => {
    const { backend, reopen } = await open(t)
    for (const [at, value] of ['välue\n', '{"a.pem":"x\\ny"}', ' ', '\u{1F511}'.repeat(16_384)].entries()) {
      await backend.put(`installations/a/value-${at}`, value)
      t.equal(await backend.get(`installations/a/value-${at}`), value)
      const other = await reopen()
      t.equal(await other.get(`installations/a/value-${at}`), value)
      await other.close()
    }
  })
  await t.test('what is not there is undefined, and removing it is fine', async (t) => {
    const { backend } = await open(t)
    t.equal(await backend.get('installations/a/none'), undefined)
    await backend.remove('installations/a/none')
    await backend.put('installations/a/licence-1', 'value')
    await backend.remove('installations/a/licence-1')
    await backend.remove('installations/a/licence-1')
    t.equal(await backend.get('installations/a/licence-1'), undefined)
    await backend.put('installations/a/licence-2', 'value')
    await backend.remove('installations/a/licence-2', 'recoverable')
    await backend.remove('installations/a/licence-2', 'recoverable')
    await backend.remove('installations/a/licence-2')
    t.equal(await backend.get('installations/a/licence-2'), undefined)
    t.same(await backend.list(''), [])
  })
  await t.test('a key is never written over', async (t) => {
    const { backend } = await open(t)
    await backend.put('installations/a/licence-1', 'first')
    await backend.put('installations/a/licence-1', 'first')
    await t.rejects(backend.put('installations/a/licence-1', CANARY), { code: 'secret-exists' })
    t.equal(await backend.get('installations/a/licence-1'), 'first')
  })
  await t.test('only one of many who write one key at once succeeds', async (t) => {
    const { backend } = await open(t)
    const values = ['a', 'b', 'c', 'd', 'e', 'f']
    const written = await Promise.allSettled(values.map((value) => backend.put('race', value)))
    const winners = values.filter((_, at) => written[at]?.status === 'fulfilled')
    t.equal(winners.length, 1)
    t.equal(await backend.get('race'), winners[0])
  })
  await t.test('keys are listed by prefix with their time', async (t) => {
    const { backend } = await open(t)
    const before = Date.now() - 2_000
    const keys = Array.from({ length: 120 }, (_, at) => `installations/a/env-${at}`)
    for (const key of [...keys, 'installations/b/licence-1', 'groups/a/env-1', 'Installations/a/x'])
      await backend.put(key, 'value')
    const listed = await backend.list('installations/a/')
    t.same(listed.map(({ key }) => key).sort(), [...keys].sort(), 'over more than one page')
    for (const { createdAt } of listed.slice(0, 3))
      t.ok(createdAt >= before && createdAt <= Date.now() + 2_000, `${createdAt} is now`)
    t.equal((await backend.list('')).length, keys.length + 3)
    t.same(await backend.list('nothing/'), [])
  })
  await t.test('keys and values that a backend cannot hold are refused, without the value', async (t) => {
    const { backend } = await open(t)
    for (const key of ['../key', '/etc/passwd', 'a/../../b', '', 'a//b', '.hidden', 'a/.b', 'a b', 'ä'])
      await t.rejects(backend.put(key, CANARY), { code: 'invalid-request' }, JSON.stringify(key))
    const large = CANARY.repeat(3_000)
    for (const value of ['', large]) {
      const error = await backend.put('key', value).catch((thrown: unknown) => thrown)
      t.match(error, { code: 'invalid-request' })
      t.notMatch(everythingOf(error), CANARY)
    }
    t.same(await backend.list(''), [])
  })
  await t.test('it says that it can be used', async (t) => {
    const { backend } = await open(t)
    await t.resolves(backend.check())
  })
}

/** Message, stack, data and causes: whatever a log could show. */
export function everythingOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error)
  const own = JSON.stringify(error, (_key, value: unknown) =>
    typeof value === 'bigint' ? String(value) : value,
  )
  return [error.message, error.stack, own, error.cause === undefined ? '' : everythingOf(error.cause)].join(
    '\n',
  )
}
