import { chmod, copyFile, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type Test, test } from 'tap'
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import type { GitTransport } from '../../src/git/remote/transport.ts'
import { creation, importCluster, requestContext, writerOn } from '../support/git-writer.ts'
import { type SshLogin, sshHome, sshTransport } from '../support/ssh-server/home.ts'
import { makeKey, noSshd, type SshServer, startSshServer } from '../support/ssh-server/server.ts'
import { commitAs, gitIn, MAIN, makeCommit, pushMain } from './home-contract.ts'

const real = { skip: noSshd, timeout: 240_000 }

interface Started {
  readonly server: SshServer
  readonly folder: string
}

async function start(t: Test): Promise<Started> {
  const server = await startSshServer()
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-'))
  t.teardown(async () => {
    await server.close()
    await rm(folder, { recursive: true, force: true })
  })
  return { server, folder }
}

async function filled(
  t: Test,
): Promise<Started & { readonly home: RepositoryHome; readonly first: ObjectId }> {
  const started = await start(t)
  const home = await sshHome(started.server, started.folder)
  t.teardown(() => home.close())
  const first = await makeCommit(home, undefined, { 'a.yaml': 'a: 1\n' })
  await pushMain(home, undefined, first)
  return { ...started, home, first: first.oid }
}

function asked(t: Test, login: SshLogin): GitTransport {
  const transport = sshTransport(login)
  t.teardown(() => transport.close())
  return transport
}

test('sessions share one connection, and a push is one session', real, async (t) => {
  const { server, home, first } = await filled(t)
  const before = (await server.commands()).length
  const next = await makeCommit(home, first, { 'a.yaml': 'a: 2\n' })
  await pushMain(home, first, next)
  await home.fetch()
  t.same((await server.commands()).slice(before), [
    `git-receive-pack '${server.directory}'`,
    `git-upload-pack '${server.directory}'`,
  ])
  t.equal(server.logins(), 1)
  await commitAs(server.directory, { 'b.yaml': 'b: 1\n' })
  t.ok((await home.fetch()).has(MAIN))
  t.equal(server.logins(), 1, 'native git goes through the same connection')
})

test(
  'a connection that is cut in the middle of a push is unavailable, and a fetch shows what became of it',
  real,
  async (t) => {
    const { server, home, first } = await filled(t)
    const next = await makeCommit(home, first, { 'a.yaml': 'a: 2\n' })
    await server.fail('before-push')
    await t.rejects(pushMain(home, first, next), { code: 'remote-unavailable' })
    t.equal((await home.fetch()).get(MAIN), first)
    await server.fail('after-push')
    await t.rejects(pushMain(home, first, next), { code: 'remote-unavailable' })
    t.equal((await home.fetch()).get(MAIN), next.oid, 'it went in')
    await server.stop()
    await t.rejects(home.fetch(), { code: 'remote-unavailable', message: /cannot be reached/ })
    await server.start()
    t.equal((await home.fetch()).get(MAIN), next.oid)
  },
)

test('a writer carries out once what the connection was cut off from', real, async (t) => {
  const { server, folder } = await start(t)
  const writer = await writerOn(await sshHome(server, folder))
  t.teardown(() => writer.close())
  await writer.submit(importCluster('prod-1', 500), requestContext(0))
  await server.fail('before-push')
  await writer.submit(creation(1), requestContext(1))
  await server.fail('after-push')
  await writer.submit(creation(2), requestContext(2))
  const requests = gitIn(server.directory, 'log', '--format=%(trailers:key=Request-Id,valueonly)', 'main')
  for (const id of ['request-1', 'request-2'])
    t.equal(requests.split('\n').filter((line) => line === id).length, 1, id)
  t.equal(writer.fleet.installations().length, 2)
})

test('only a server with the known host key is talked to', real, async (t) => {
  const { server, folder } = await start(t)
  const unknown = join(folder, 'nobody')
  await writeFile(unknown, '')
  const stranger = asked(t, { ...server, knownHostsFile: unknown })
  await t.rejects(stranger.advertisement('git-upload-pack', 2), {
    code: 'remote-denied',
    message: new RegExp(`nobody has no host key of 127\\.0\\.0\\.1.*ssh-keyscan -p ${server.port} 127`),
  })
  t.equal(await readFile(unknown, 'utf8'), '', 'nothing is learnt by itself')
  const gone = asked(t, { ...server, knownHostsFile: join(folder, 'gone') })
  await t.rejects(gone.advertisement('git-upload-pack', 2), { code: 'remote-denied', message: /ENOENT/ })

  await server.stop()
  await server.start('new')
  const changed = asked(t, server)
  await t.rejects(changed.advertisement('git-upload-pack', 2), {
    code: 'remote-denied',
    message: /shows another host key than the one in .*known_hosts/,
  })
  t.same(await server.commands(), [])
})

test(
  'a key that is refused, encrypted, open to others or gone is said so; a new one in its place is noticed',
  real,
  async (t) => {
    const { server, folder } = await start(t)
    const keyFile = join(folder, 'mine')
    const other = await readFile(makeKey(keyFile), 'utf8')
    const transport = asked(t, { ...server, keyFile })
    const look = (): Promise<unknown> => transport.advertisement('git-receive-pack', 1)
    await t.rejects(look(), { code: 'remote-denied', message: /does not accept the key .*mine.*deploy key/ })
    await server.allow(other)
    t.ok(await look())
    await server.allow(await readFile(`${server.keyFile}.pub`, 'utf8'))
    await rm(keyFile)
    await rm(`${keyFile}.pub`)
    await t.rejects(look(), { code: 'remote-denied', message: /ssh key .*mine cannot be read \(ENOENT\)/ })
    await copyFile(server.keyFile, keyFile)
    await chmod(keyFile, 0o640)
    await t.rejects(look(), { code: 'remote-denied', message: /mode 0640.*chmod 600/ })
    await chmod(keyFile, 0o600)
    t.ok(await look())
    await rm(keyFile)
    makeKey(keyFile, 'a passphrase')
    await t.rejects(look(), { code: 'remote-denied', message: /mine/ })
  },
)

test('nothing of the transport is left when it is closed', real, async (t) => {
  const { server } = await start(t)
  const transport = sshTransport(server)
  await transport.advertisement('git-upload-pack', 2)
  const command = (await transport.native.environment()).GIT_SSH_COMMAND ?? ''
  const sockets = /ControlPath="([^"]+)\/[^/"]+"/.exec(command)?.[1] ?? ''
  t.equal((await stat(sockets)).mode & 0o777, 0o700)
  await transport.close()
  await t.rejects(stat(sockets), { code: 'ENOENT' })
})

test('a server that falls silent is given up', real, async (t) => {
  const { server } = await start(t)
  const limits = { silenceMilliseconds: 1, totalMilliseconds: 60_000 }
  const transport = sshTransport(server, { limits })
  t.teardown(() => transport.close())
  await t.rejects(transport.advertisement('git-upload-pack', 2), {
    code: 'remote-unavailable',
    message: /cannot be reached by ssh.*did not answer/,
  })
})

test('without an ssh on the PATH it says what to install', real, async (t) => {
  const { server } = await start(t)
  const transport = asked(t, server)
  const path = process.env.PATH
  t.teardown(() => {
    process.env.PATH = path
  })
  process.env.PATH = '/nowhere'
  await t.rejects(transport.advertisement('git-upload-pack', 2), {
    code: 'remote-unavailable',
    message: /install an OpenSSH client/,
  })
  process.env.PATH = path
})

test('a repository that is not there, or a path with spaces in its files, is no trouble', real, async (t) => {
  const { server, folder } = await start(t)
  const nothing = asked(t, { ...server, url: server.url.replace('fleet.git', 'other.git') })
  await t.rejects(nothing.advertisement('git-upload-pack', 2), {
    code: 'remote-denied',
    message: /There is no repository ssh:.*other\.git, or the key/,
  })
  const odd = join(folder, `it's 100% mine`)
  await copyFile(server.keyFile, odd)
  await copyFile(server.knownHostsFile, `${odd} hosts`)
  const home = await sshHome(
    { ...server, keyFile: odd, knownHostsFile: `${odd} hosts` },
    join(folder, 'data'),
  )
  t.teardown(() => home.close())
  await commitAs(server.directory, { 'b.yaml': 'b: 1\n' })
  t.ok((await home.fetch()).has(MAIN))
})
