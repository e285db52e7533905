import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { test } from 'tap'
import { commitOf, createStable, importCluster, makeStable, type Reply, send } from '../support/api.ts'
import { startTestServer } from '../support/server.ts'

const server = await startTestServer('all')
const { url } = server
const { parts } = server.server
await importCluster(url)

async function patch(id: string, body: object): Promise<string> {
  const reply = await send(url, 'PUT', `/api/installation/${id}/mattermost`, { body })
  if (reply.status !== 202) throw new Error(`the change was answered ${reply.status}: ${reply.text}`)
  makeStable(parts, reply.body.ID)
  return commitOf(reply)
}

function revert(
  commit: string,
  id: string,
  more: { readonly query?: string; readonly key?: string; readonly kind?: string } = {},
): Promise<Reply> {
  return send(url, 'POST', `/api/fleet/revert${more.query ?? ''}`, {
    body: { commit, kind: more.kind ?? 'installation', id },
    headers: more.key === undefined ? {} : { 'idempotency-key': more.key },
  })
}

async function show(id: string): Promise<Reply['body']> {
  return (await send(url, 'GET', `/api/installation/${id}`)).body
}

test('a change is undone in a new commit that names it', async (t) => {
  const id = await createStable(server, 'one')
  const changed = await patch(id, { Version: '12.0.0', MattermostEnv: { A: { value: '1' } } })
  await patch(id, { Size: '1000users' })
  const reply = await revert(changed, id)
  t.match(reply, { status: 200, body: { kind: 'installation', id, reverts: changed, changed: true } })
  t.equal(reply.body.commit, commitOf(reply))
  t.match(await show(id), {
    Version: 'stable',
    Size: '1000users',
    MattermostEnv: null,
    State: 'update-requested',
  })
  const { body } = await send(url, 'GET', `/api/fleet/history?kind=installation&id=${id}&limit=1`)
  t.match(body.commits[0], {
    commit: reply.body.commit,
    subject: 'Revert "Update installation one" for installation one',
    actor: { name: 'admin' },
    trailers: { Reverts: changed, Installation: id },
    diff: /^-.*12\.0\.0/m,
  })
})

test('a dry run shows the plan and changes nothing', async (t) => {
  const id = await createStable(server, 'two')
  const changed = await patch(id, { Version: '12.0.0' })
  const before = parts.writer.head
  const reply = await revert(changed, id, { query: '?dry_run=true' })
  t.match(reply, {
    status: 200,
    body: { dryRun: true, subject: /^Revert/, diff: /-.*12\.0\.0/, base: before },
  })
  t.match(reply.body.files, [{ path: /installation\.yaml$/ }, { path: /manifest\.yaml$/ }])
  t.equal(parts.writer.head, before)
  t.match(await show(id), { Version: '12.0.0' })
})

test('the same key undoes once; the same again without a key has nothing to undo', async (t) => {
  const id = await createStable(server, 'three')
  const changed = await patch(id, { Version: '12.0.0' })
  const first = await revert(changed, id, { key: 'undo-three' })
  const again = await revert(changed, id, { key: 'undo-three' })
  t.same(again.body, first.body)
  t.equal(again.headers.get('idempotency-replayed'), 'true')
  const other = await revert(changed, 'a'.repeat(26), { key: 'undo-three' })
  t.match(other, { status: 422, body: { code: 'idempotency-conflict' } })
  makeStable(parts, id)
  t.match(await revert(changed, id), { status: 200, body: { changed: false, commit: null } })
})

test('an undo can be undone', async (t) => {
  const id = await createStable(server, 'four')
  const changed = await patch(id, { Version: '12.0.0' })
  const undone = await revert(changed, id)
  makeStable(parts, id)
  t.match(await revert(undone.body.commit, id), { status: 200, body: { changed: true } })
  t.match(await show(id), { Version: '12.0.0' })
})

test('what conflicts with later changes is refused with the fields', async (t) => {
  const id = await createStable(server, 'five')
  const changed = await patch(id, { Version: '12.0.0' })
  await patch(id, { Version: '13.0.0' })
  t.match(await revert(changed, id), {
    status: 409,
    body: { code: 'revert-conflict', errors: [{ pointer: '/spec/version' }] },
  })
  t.match(await revert(changed, id, { query: '?dry_run=1' }), {
    status: 409,
    body: { code: 'revert-conflict' },
  })
})

test('a creation, a lock, and anything of a locked installation are refused with the way to go', async (t) => {
  const id = await createStable(server, 'six')
  const { body } = await send(url, 'GET', `/api/fleet/history?kind=installation&id=${id}`)
  t.match(await revert(body.commits.at(-1).commit, id), {
    status: 409,
    body: { detail: /delete it instead/ },
  })
  const changed = await patch(id, { Version: '12.0.0' })
  const locked = await send(url, 'POST', `/api/security/installation/${id}/api/lock`)
  t.match(await revert(changed, id), { status: 403, body: { code: 'api-locked' } })
  await send(url, 'POST', `/api/security/installation/${id}/api/unlock`)
  t.match(await revert(commitOf(locked), id), { status: 409, body: { detail: /a lock only/ } })
})

test('only commits of main that changed the object can be undone', async (t) => {
  const [id, other] = [await createStable(server, 'seven'), await createStable(server, 'eight')]
  const changed = await patch(id, { Version: '12.0.0' })
  t.match(await revert(changed, other), { status: 404, body: { detail: /did not change/ } })
  t.match(await revert('0'.repeat(40), id), { status: 404, body: { code: 'not-found' } })
  const projection = execFileSync('git', [
    '--git-dir',
    join(server.folder, 'fleet.git'),
    'rev-parse',
    'cluster/prod-1',
  ])
  t.match(await revert(projection.toString().trim(), id), { status: 404, body: { detail: /on main/ } })
  t.match(await revert(changed, 'a'.repeat(26)), { status: 404 })
})

test('requests that are not right say what would be', async (t) => {
  const right = { commit: '0'.repeat(40), kind: 'installation', id: 'a'.repeat(26) }
  for (const [body, pointer] of [
    [{ ...right, commit: 'main' }, '/commit'],
    [{ ...right, commit: undefined }, '/commit'],
    [{ ...right, kind: 'cluster' }, '/kind'],
    [{ ...right, id: 'x' }, '/id'],
    [{ ...right, comit: 'x' }, '/comit'],
  ] as const) {
    const reply = await send(url, 'POST', '/api/fleet/revert', { body })
    t.match(reply, { status: 400, body: { code: 'invalid-request', errors: [{ pointer }] } })
  }
})

test('a group goes back under a new sequence', async (t) => {
  const created = await send(url, 'POST', '/api/groups', {
    body: { name: 'ring', version: '1', MaxRolling: 1 },
  })
  const { ID: id } = created.body
  const changed = await send(url, 'PUT', `/api/group/${id}`, { body: { Version: '2' } })
  const reply = await revert(commitOf(changed), id, { kind: 'group' })
  t.match(reply, { status: 200, body: { kind: 'group', changed: true } })
  t.match((await send(url, 'GET', `/api/group/${id}`)).body, { Version: '1', Sequence: 2 })
  const deleted = await send(url, 'DELETE', `/api/group/${id}`)
  t.match(await revert(commitOf(deleted), id, { kind: 'group' }), { status: 200, body: { changed: true } })
  t.match((await send(url, 'GET', `/api/group/${id}`)).body, { DeleteAt: 0 })
})

test('a secret comes back by its key while its value is kept, and is refused after that', async (t) => {
  const id = await createStable(server, 'nine', { License: 'canary-old' })
  const [old] = await parts.secrets.list(`installations/${id}/`)
  const changed = await patch(id, { License: 'canary-new' })
  t.match(await revert(changed, id), { status: 200, body: { changed: true } })
  t.equal(parts.writer.fleet.installation(id)?.spec.licence?.key, old?.key)
  makeStable(parts, id)
  const again = await patch(id, { License: 'canary-newer' })
  await parts.secrets.remove(old?.key ?? '')
  const head = parts.writer.head
  for (const query of ['', '?dry_run=true']) {
    const refused = await revert(again, id, { query })
    t.match(refused, { status: 409, body: { code: 'secret-removed', detail: /set the value anew/ } })
    t.notMatch(refused.text, 'canary')
  }
  t.equal(parts.writer.head, head)
})

test('the server closes', (t) => t.resolves(server.close()))
