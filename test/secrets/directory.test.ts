import { chmod, mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import { openSecretDirectory } from '../../src/secrets/directory/backend.ts'
import { checkSecretBackend, type SecretBackendUnderTest } from './contract.ts'

async function temporaryFolder(t: Test): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(() => rm(folder, { recursive: true, force: true }))
  return folder
}

async function open(t: Test): Promise<SecretBackendUnderTest> {
  const folder = join(await temporaryFolder(t), 'secrets')
  return { backend: await openSecretDirectory(folder), reopen: () => openSecretDirectory(folder) }
}

test('a folder keeps the contract of secret backends', (t) => checkSecretBackend(t, open))

test('only the owner may read, and no key leaves the folder', async (t) => {
  const folder = await temporaryFolder(t)
  const backend = await openSecretDirectory(join(folder, 'secrets'))
  await backend.put('a/key', 'value')
  t.equal((await stat(join(folder, 'secrets', 'a', 'key'))).mode & 0o777, 0o600)
  t.equal((await stat(join(folder, 'secrets', 'a'))).mode & 0o777, 0o700)
  t.equal((await stat(join(folder, 'secrets'))).mode & 0o777, 0o700)
  await t.rejects(backend.put('../key', 'value'), { code: 'invalid-request' })
  t.same(await readdir(folder), ['secrets'])
})

test('what a killed process left half-written goes at the next start', async (t) => {
  const folder = await temporaryFolder(t)
  await mkdir(join(folder, 'a'))
  await writeFile(join(folder, 'a', '.writing-1-1'), 'half a val')
  const backend = await openSecretDirectory(folder)
  t.same(await readdir(join(folder, 'a')), [])
  t.same(await backend.list(''), [])
})

test('a folder that cannot be used is said to be unavailable', async (t) => {
  const folder = join(await temporaryFolder(t), 'secrets')
  const backend = await openSecretDirectory(folder)
  await rm(folder, { recursive: true })
  await writeFile(folder, 'not a folder')
  await t.rejects(backend.put('a/key', 'value'), { code: 'secret-backend-unavailable' })
  await t.rejects(backend.list(''), { code: 'secret-backend-unavailable' })
  await chmod(folder, 0o000)
  await t.rejects(backend.check(), { code: 'secret-backend-unavailable' })
})
