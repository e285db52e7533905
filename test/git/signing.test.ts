import { execFileSync, spawnSync } from 'node:child_process'
import { chmod, mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import fc from 'fast-check'
import { type Test, test } from 'tap'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { commitObject, EMPTY_TREE, parseCommit } from '../../src/git/objects.ts'
import { parsePrivateKey } from '../../src/git/signing/private-key.ts'
import { openSigningKeyFile } from '../../src/git/signing/signing-key-file.ts'
import { sshSignature } from '../../src/git/signing/ssh-signature.ts'
import { creation, importCluster, requestContext, startWriter, writerOn } from '../support/git-writer.ts'
import { commitAs, git } from '../support/person.ts'
import { allowedSigners, makeKey, publicKeyOf } from '../support/ssh-keys.ts'
import { until } from '../support/until.ts'

const REQUEST =
  'apiVersion: fleet.fleetwright.dev/v1\nkind: InstallationRequest\nmetadata:\n  name: good\nspec:\n  owner: grace\n'
const EMAIL = 'fleetwright@example.com'

const KINDS: readonly (readonly [name: string, arguments_: readonly string[]])[] = [
  ['ed25519', ['-t', 'ed25519']],
  ['ecdsa-256', ['-t', 'ecdsa', '-b', '256']],
  ['ecdsa-384', ['-t', 'ecdsa', '-b', '384']],
  ['ecdsa-521', ['-t', 'ecdsa', '-b', '521']],
  ['rsa-2048', ['-t', 'rsa', '-b', '2048']],
  ['rsa-3072', ['-t', 'rsa', '-b', '3072']],
]

function keyFile(t: Test, args: readonly string[] = ['-t', 'ed25519']): string {
  return makeKey(t.testdir(), ...args)
}

/** `ssh-keygen -Y verify`. */
function verified(signers: string, signature: string, namespace: string, message: Uint8Array): boolean {
  const args = ['-Y', 'verify', '-f', signers, '-I', EMAIL, '-n', namespace, '-s', signature]
  return spawnSync('ssh-keygen', args, { input: message }).status === 0
}

for (const [name, args] of KINDS)
  test(`ssh-keygen accepts signatures of its ${name} keys, and no other message or namespace`, async (t) => {
    const path = keyFile(t, args)
    const key = parsePrivateKey(await readFile(path, 'utf8'))
    const signers = await allowedSigners(path, EMAIL)
    const signature = `${path}.sig`
    // ECDSA numbers are short every now and then.
    for (let round = 0; round < 8; round += 1) {
      const message = Buffer.from(`message ${round}`)
      await writeFile(signature, sshSignature(key, 'git', message))
      t.ok(verified(signers, signature, 'git', message), `round ${round}`)
      t.notOk(verified(signers, signature, 'git', Buffer.from('another')))
      t.notOk(verified(signers, signature, 'file', message))
    }
  })

test('an ed25519 signature is the one that ssh-keygen makes, for any message', async (t) => {
  const path = keyFile(t)
  const key = parsePrivateKey(await readFile(path, 'utf8'))
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ maxLength: 300 }), async (message) => {
      const theirs = execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-f', path, '-n', 'git'], {
        input: message,
      })
      t.equal(sshSignature(key, 'git', message), theirs.toString('latin1'))
    }),
    { numRuns: 15 },
  )
})

test('a signed commit is byte for byte the one that git commit -S makes', async (t) => {
  const path = keyFile(t)
  const work = join(t.testdirName, 'work')
  await mkdir(work)
  const run = (...args: string[]): string =>
    execFileSync('git', ['-C', work, '-c', 'gpg.format=ssh', '-c', `user.signingKey=${path}`, ...args], {
      encoding: 'utf8',
      env: {
        ...{ PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
        ...{ GIT_AUTHOR_NAME: 'Ada', GIT_AUTHOR_EMAIL: EMAIL, GIT_AUTHOR_DATE: '1795424400 +0000' },
        ...{ GIT_COMMITTER_NAME: 'Ada', GIT_COMMITTER_EMAIL: EMAIL, GIT_COMMITTER_DATE: '1795424400 +0000' },
      },
    })
  run('init', '--quiet')
  const { sign } = await openSigningKeyFile(path)
  const line = `Ada <${EMAIL}> 1795424400 +0000`
  let parents: readonly ObjectId[] = []
  for (const message of ['First\n', 'Second, Grüße\n\nBody\n\nRequest-Id: 1\n']) {
    run('commit', '--quiet', '--allow-empty', '-S', '-m', message)
    const ours = commitObject({ tree: EMPTY_TREE, parents, author: line, committer: line, message, sign })
    t.equal(run('rev-parse', 'HEAD').trim(), ours.oid)
    const parsed = parseCommit(ours.oid, ours.content)
    t.match(parsed, { tree: EMPTY_TREE, parents, author: line, committer: line, message })
    parents = [ours.oid]
  }
})

for (const kind of ['embedded', 'remote'] as const)
  test(`git verify-commit accepts every commit of a fleet, requests, follow-ups and projections (${kind})`, async (t) => {
    const path = keyFile(t)
    const { sign } = await openSigningKeyFile(path)
    const { writer, directory } = await startWriter(t, kind, { sign })
    await writer.submit(importCluster('prod-1', 500), requestContext(0))
    await Promise.all([1, 2, 3, 4].map((number) => writer.submit(creation(number), requestContext(number))))
    const theirs = await commitAs(directory, t.testdirName, { 'requests/good.yaml': REQUEST }, 'Ask for one')
    await writer.poll()
    await until(
      async () => writer.fleet.installationCount(),
      (count) => count === 5,
    )
    git(directory, 'config', 'gpg.ssh.allowedSignersFile', await allowedSigners(path, EMAIL))
    const signed = git(directory, 'rev-list', '--all', '--committer=Fleetwright').trim().split('\n')
    // The first commit, six requests, and at least one of control and one of the cluster.
    t.ok(signed.length >= 9, `${signed.length} commits`)
    t.equal(git(directory, 'log', '-1', '--format=%G?', theirs).trim(), 'N')
    for (const commit of signed)
      t.equal(spawnSync('git', ['--git-dir', directory, 'verify-commit', commit]).status, 0, commit)
    t.equal(git(directory, 'log', '--format=%G?', '--all').replace(/[^G]/g, '').length, signed.length)
    t.equal(git(directory, 'fsck', '--strict', '--no-dangling'), '')
    t.equal(git(directory, 'log', '--grep=^Request-Id: ', '--format=%H', 'main').trim().split('\n').length, 7)
  })

test('what is written after a restart is signed too, and a fleet without signatures goes on with them', async (t) => {
  const directory = `${t.testdir()}/fleet.git`
  const before = await writerOn(await openEmbeddedHome(directory))
  await before.submit(importCluster('prod-1', 500), requestContext(0))
  await before.close()
  // A projection is repaired at the start, by a commit of its own.
  git(directory, 'update-ref', '-d', 'refs/heads/cluster/prod-1')
  const path = makeKey(t.testdirName, '-t', 'ed25519')
  const { sign } = await openSigningKeyFile(path)
  const after = await writerOn(await openEmbeddedHome(directory), { sign })
  await after.submit(creation(1), requestContext(1))
  await after.close()
  git(directory, 'config', 'gpg.ssh.allowedSignersFile', await allowedSigners(path, EMAIL))
  t.equal(git(directory, 'log', '--format=%G?', 'main').trim(), 'G\nN\nN')
  t.equal(git(directory, 'log', '--format=%G?', 'cluster/prod-1').trim(), 'G\nG')
})

test('another key in the file is noticed; one that cannot be used is a problem, and the key before it stays', async (t) => {
  const path = keyFile(t)
  const file = await openSigningKeyFile(path)
  const first = file.fingerprint
  const listed = execFileSync('ssh-keygen', ['-l', '-f', path], { encoding: 'utf8' }).split(' ')[1] ?? 'none'
  t.equal(first, `ssh-ed25519 ${listed}`)
  await file.refresh()
  t.same([file.fingerprint, file.problems()], [first, []])
  const second = makeKey(join(t.testdirName), '-t', 'ecdsa')
  await writeFile(path, await readFile(second, 'utf8'))
  await file.refresh()
  const rotated = file.fingerprint
  t.match(rotated, /^ecdsa-sha2-nistp256 SHA256:/)
  await writeFile(path, 'half a key')
  await file.refresh()
  t.equal(file.fingerprint, rotated)
  t.match(file.problems(), [{ code: 'invalid-configuration', detail: rotated }])
  await rm(path)
  await file.refresh()
  t.match(file.problems(), [{ detail: /ENOENT/ }])
  await writeFile(path, await readFile(second, 'utf8'), { mode: 0o600 })
  await file.refresh()
  t.same(file.problems(), [])
})

test('a key file that others may read is refused', async (t) => {
  const path = keyFile(t)
  for (const mode of [0o644, 0o640, 0o604, 0o660]) {
    await chmod(path, mode)
    await t.rejects(openSigningKeyFile(path), {
      code: 'invalid-configuration',
      message: new RegExp(`mode ${mode.toString(8)}`),
    })
  }
  for (const mode of [0o600, 0o400]) {
    await chmod(path, mode)
    t.match(await openSigningKeyFile(path), { fingerprint: /^ssh-ed25519/ })
  }
  await t.rejects(openSigningKeyFile(t.testdirName), { code: 'invalid-configuration' })
})

test('keys that cannot be used are refused with the reason', async (t) => {
  const folder = t.testdir()
  const cases: readonly (readonly [args: readonly string[], reason: RegExp])[] = [
    [['-t', 'ed25519', '-N', 'a passphrase'], /has a passphrase/],
    [['-t', 'rsa', '-b', '1024'], /fewer than 2048 bits/],
    [['-t', 'rsa', '-b', '2048', '-m', 'PEM'], /ssh-keygen -p/],
  ]
  for (const [args, message] of cases) {
    const text = await readFile(makeKey(folder, ...args), 'utf8')
    t.throws(() => parsePrivateKey(text), { code: 'invalid-configuration', message })
  }
  t.throws(() => parsePrivateKey(''), { code: 'invalid-configuration' })
  t.throws(() => parsePrivateKey(publicKeyOf(makeKey(folder, '-t', 'ed25519'))), {
    code: 'invalid-configuration',
  })
})

test('a damaged key is refused or is the same key, and no error says a part of it', async (t) => {
  const path = keyFile(t)
  const text = await readFile(path, 'utf8')
  const data = Buffer.from(text.split('\n').slice(1, -2).join(''), 'base64')
  const whole = parsePrivateKey(text)
  const secret = data.subarray(-100).toString('base64')
  fc.assert(
    fc.property(
      fc.nat(data.length - 1),
      fc.integer({ min: 1, max: 255 }),
      fc.boolean(),
      (at, change, cut) => {
        const damaged = Buffer.from(data)
        damaged[at] = (damaged[at] ?? 0) ^ change
        const base64 = (cut ? damaged.subarray(0, at) : damaged).toString('base64')
        const armored = `-----BEGIN OPENSSH PRIVATE KEY-----\n${base64}\n-----END OPENSSH PRIVATE KEY-----\n`
        try {
          const parsed = parsePrivateKey(armored)
          t.ok(parsed.publicKey.equals(whole.publicKey))
        } catch (error) {
          const said = `${String(error)} ${JSON.stringify(error)}`
          t.match(error, { code: 'invalid-configuration' })
          for (let from = 0; from + 12 <= secret.length; from += 4)
            if (said.includes(secret.slice(from, from + 12))) t.fail('it says a part of the key')
        }
      },
    ),
    { numRuns: 300 },
  )
})
