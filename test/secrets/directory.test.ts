import { mkdtemp, readdir, rm, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'tap'
import { openSecretDirectory } from '../../src/secrets/directory/backend.ts'

test('a value comes back as it was, is listed with its time, and goes', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const backend = await openSecretDirectory(join(folder, 'secrets'))
  await backend.put('installations/a/licence-1', 'välue\n')
  t.equal(await backend.get('installations/a/licence-1'), 'välue\n')
  t.equal(await backend.get('installations/a/other'), undefined)
  const [listed, ...others] = await backend.list('installations/')
  t.equal(listed?.key, 'installations/a/licence-1')
  t.ok(Math.abs((listed?.createdAt ?? 0) - Date.now()) < 60_000)
  t.same(others, [])
  await backend.remove('installations/a/licence-1')
  await backend.remove('installations/a/licence-1')
  t.equal(await backend.get('installations/a/licence-1'), undefined)
})

test('only the owner may read, and no key leaves the folder', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  const backend = await openSecretDirectory(join(folder, 'secrets'))
  await backend.put('key', 'value')
  t.equal((await stat(join(folder, 'secrets', 'key'))).mode & 0o777, 0o600)
  t.equal((await stat(join(folder, 'secrets'))).mode & 0o777, 0o700)
  for (const key of ['../key', '/etc/passwd', 'a/../../b', '', 'a//b', '.hidden'])
    await t.rejects(backend.put(key, 'value'), { code: 'invalid-request' }, JSON.stringify(key))
  t.same(await readdir(folder), ['secrets'])
})
