/** Hooks as Gitea, GitHub and GitLab send them, and as others would like to. */
import { createHmac } from 'node:crypto'
import fc from 'fast-check'
import { test } from 'tap'
import { readGiteaHook } from '../../src/forge/gitea/hook.ts'
import { readGitHubHook } from '../../src/forge/github/hook.ts'
import { readGitLabHook } from '../../src/forge/gitlab/hook.ts'
import type { HookEvent, ReadHook } from '../../src/ports/forge.ts'

const SECRET = 'a secret of hooks – ä'
const KEY = Buffer.alloc(32, 7)
const SIGNING_TOKEN = `whsec_${KEY.toString('base64')}`

type Headers = Readonly<Record<string, string | undefined>>

interface Shape {
  readonly name: string
  readonly read: ReadHook
  readonly secret: string
  sign(body: string, event: string, secret?: string): Headers
  /** Header that shows who sent it. */
  readonly proof: string
  readonly events: readonly (readonly [event: string, body: unknown, content: HookEvent])[]
  readonly pullRequest: string
}

const hex = (secret: string, body: string): string => createHmac('sha256', secret).update(body).digest('hex')

const repository = { repository: { full_name: 'acme/fleet' } }
const project = { project: { path_with_namespace: 'acme/fleet' } }

const GITLAB_EVENTS: Shape['events'] = [
  ['Push Hook', { ...project, ref: 'refs/heads/main' }, { event: 'push', ref: 'refs/heads/main' }],
  ['Tag Push Hook', { ...project, ref: 'refs/tags/v1' }, { event: 'push', ref: 'refs/tags/v1' }],
  [
    'Merge Request Hook',
    { ...project, object_attributes: { iid: 7, id: 99 } },
    { event: 'pull-request', number: 7 },
  ],
  ['Note Hook', { ...project, merge_request: { iid: 7 } }, { event: 'other' }],
]

const SHAPES: readonly Shape[] = [
  {
    name: 'gitea',
    read: readGiteaHook,
    secret: SECRET,
    // Gitea sends the headers of GitHub along.
    sign: (body, event, secret = SECRET) => ({
      'x-gitea-signature': hex(secret, body),
      'x-gitea-event': event,
      'x-gitea-delivery': 'delivery-1',
      'x-github-event': 'ping',
      'x-hub-signature-256': `sha256=${hex(secret, body)}`,
    }),
    proof: 'x-gitea-signature',
    events: [
      ['push', { ...repository, ref: 'refs/heads/main' }, { event: 'push', ref: 'refs/heads/main' }],
      [
        'pull_request',
        { ...repository, number: 7, pull_request: { number: 7 } },
        { event: 'pull-request', number: 7 },
      ],
      [
        'pull_request_approved',
        { ...repository, pull_request: { number: 8 } },
        { event: 'pull-request', number: 8 },
      ],
      ['issue_comment', { ...repository, is_pull: true }, { event: 'other' }],
      ['delete', { ...repository, ref: 'x', ref_type: 'branch' }, { event: 'other' }],
    ],
    pullRequest: 'pull_request',
  },
  {
    name: 'github',
    read: readGitHubHook,
    secret: SECRET,
    sign: (body, event, secret = SECRET) => ({
      'x-hub-signature-256': `sha256=${hex(secret, body)}`,
      'x-github-event': event,
      'x-github-delivery': 'delivery-1',
    }),
    proof: 'x-hub-signature-256',
    events: [
      ['ping', { ...repository, zen: 'Keep it simple' }, { event: 'ping' }],
      ['push', { ...repository, ref: 'refs/heads/main' }, { event: 'push', ref: 'refs/heads/main' }],
      ['pull_request', { ...repository, pull_request: { number: 7 } }, { event: 'pull-request', number: 7 }],
      [
        'pull_request_review',
        { ...repository, pull_request: { number: 8 } },
        { event: 'pull-request', number: 8 },
      ],
      ['check_suite', repository, { event: 'other' }],
    ],
    pullRequest: 'pull_request',
  },
  {
    name: 'gitlab with a secret token',
    read: readGitLabHook,
    secret: SECRET,
    sign: (_body, event, secret = SECRET) => ({
      'x-gitlab-token': secret,
      'x-gitlab-event': event,
      'x-gitlab-event-uuid': 'recursive-1',
      'idempotency-key': 'delivery-1',
    }),
    proof: 'x-gitlab-token',
    events: GITLAB_EVENTS,
    pullRequest: 'Merge Request Hook',
  },
  {
    name: 'gitlab with a signing token',
    read: readGitLabHook,
    secret: SIGNING_TOKEN,
    sign: (body, event, secret = SIGNING_TOKEN) => ({
      'webhook-id': 'delivery-1',
      'webhook-timestamp': '1750000000',
      'webhook-signature': `v1,${createHmac('sha256', Buffer.from(secret.slice(6), 'base64'))
        .update(`delivery-1.1750000000.${body}`)
        .digest('base64')}`,
      'x-gitlab-event': event,
    }),
    proof: 'webhook-signature',
    events: GITLAB_EVENTS,
    pullRequest: 'Merge Request Hook',
  },
]

const bytes = (text: string): Uint8Array => Buffer.from(text, 'utf8')

for (const shape of SHAPES) {
  const { name, read, secret, sign, events, proof, pullRequest } = shape

  test(`${name}: events`, async (t) => {
    for (const [event, content, wanted] of events) {
      const body = JSON.stringify(content)
      t.strictSame(
        read({ headers: sign(body, event), body: bytes(body), secret }),
        { delivery: 'delivery-1', repository: 'acme/fleet', content: wanted },
        event,
      )
    }
  })

  test(`${name}: a proof that is missing, wrong, cut or of another secret`, async (t) => {
    const body = JSON.stringify(repository)
    const headers = sign(body, 'push')
    const right = headers[proof] ?? ''
    const flipped = `${right.slice(0, -2)}${right.endsWith('00') ? '11' : '00'}`
    const proofs = [undefined, '', right.slice(0, -1), `${right}0`, flipped, 'x', `sha1=${right}`, '\u0000']
    for (const value of proofs)
      t.throws(
        () => read({ headers: { ...headers, [proof]: value }, body: bytes(body), secret }),
        { code: 'unauthenticated' },
        String(value),
      )
    const other = `whsec_${Buffer.alloc(32, 8).toString('base64')}`
    t.throws(() => read({ headers: sign(body, 'push', other), body: bytes(body), secret }), {
      code: 'unauthenticated',
    })
    t.throws(() => read({ headers: {}, body: bytes(body), secret }), { code: 'unauthenticated' })
  })

  test(`${name}: without a secret nothing is let in`, async (t) => {
    const body = JSON.stringify(repository)
    const empty = secret === SIGNING_TOKEN ? 'whsec_' : ''
    t.throws(() => read({ headers: sign(body, 'push', empty), body: bytes(body), secret: empty }), {
      code: 'unauthenticated',
    })
  })

  test(`${name}: a body that is no hook is refused, after its proof`, async (t) => {
    const wrong = [
      '',
      'no json',
      '[]',
      'null',
      '"text"',
      '{"a":',
      '{}',
      '{"ref":7}',
      '{"pull_request":{"number":"7"}}',
    ]
    for (const body of [
      ...wrong,
      '{"pull_request":{"number":1.5},"object_attributes":{"iid":-1}}',
      '{"__proto__":{}}',
    ]) {
      t.throws(
        () => read({ headers: sign(body, pullRequest), body: bytes(body), secret }),
        { code: 'invalid-request' },
        body,
      )
      t.throws(
        () => read({ headers: { ...sign(body, pullRequest), [proof]: 'x' }, body: bytes(body), secret }),
        { code: 'unauthenticated' },
        'the proof comes first',
      )
    }
    const deep = '['.repeat(100_000)
    t.throws(() => read({ headers: sign(deep, pullRequest), body: bytes(deep), secret }), {
      code: 'invalid-request',
    })
  })

  test(`${name}: no secret in an error`, async (t) => {
    try {
      read({ headers: { ...sign('{}', 'push'), [proof]: 'x' }, body: bytes('{}'), secret })
      t.fail('it was let in')
    } catch (error) {
      t.notOk(JSON.stringify([error, String(error)]).includes(secret))
    }
  })
}

test('a changed byte of the body makes a signature wrong', async (t) => {
  for (const { name, read, secret, sign, pullRequest } of SHAPES.filter(
    (shape) => shape.proof !== 'x-gitlab-token',
  )) {
    const body = JSON.stringify({
      ...repository,
      ...project,
      pull_request: { number: 7 },
      object_attributes: { iid: 7 },
    })
    const headers = sign(body, pullRequest)
    fc.assert(
      fc.property(fc.nat(body.length - 1), fc.integer({ min: 1, max: 255 }), (at, by) => {
        const forged = Uint8Array.from(bytes(body))
        forged[at] = (forged[at] ?? 0) ^ by
        try {
          read({ headers, body: forged, secret })
          return false
        } catch (error) {
          return error instanceof Error && 'code' in error && error.code === 'unauthenticated'
        }
      }),
    )
    t.pass(name)
  }
})

test("another forge's proof opens nothing", async (t) => {
  const body = JSON.stringify({ ...repository, ref: 'refs/heads/main' })
  const gitHub = SHAPES[1]?.sign(body, 'push') ?? {}
  t.throws(() => readGiteaHook({ headers: gitHub, body: bytes(body), secret: SECRET }), {
    code: 'unauthenticated',
  })
  t.throws(
    () =>
      readGitLabHook({
        headers: { 'x-gitlab-token': SIGNING_TOKEN, 'x-gitlab-event': 'Push Hook' },
        body: bytes(body),
        secret: SIGNING_TOKEN,
      }),
    { code: 'unauthenticated' },
    'a signing token that is sent along is no signature',
  )
})

test('one of several signatures is enough while a key is replaced', async (t) => {
  const body = JSON.stringify({ ...project, ref: 'refs/heads/main' })
  const signed = SHAPES[3]?.sign(body, 'Push Hook') ?? {}
  const headers = { ...signed, 'webhook-signature': `v1,AAAA v2,xxxx ${signed['webhook-signature']}` }
  t.match(readGitLabHook({ headers, body: bytes(body), secret: SIGNING_TOKEN }), {
    content: { event: 'push' },
  })
})

test('a form is told apart from a forged body', async (t) => {
  const headers = {
    'x-gitea-signature': hex(SECRET, '{}'),
    'content-type': 'application/x-www-form-urlencoded',
  }
  t.throws(() => readGiteaHook({ headers, body: bytes('payload=%7B%7D'), secret: SECRET }), {
    code: 'unauthenticated',
    message: /application\/json/,
  })
})

test('a delivery without a number of its own has that of its content', async (t) => {
  const body = JSON.stringify(repository)
  const numbered = (delivery: string | undefined): string =>
    readGiteaHook({
      headers: { ...SHAPES[0]?.sign(body, 'status'), 'x-gitea-delivery': delivery },
      body: bytes(body),
      secret: SECRET,
    }).delivery
  t.match(numbered(undefined), /^[0-9a-f]{64}$/)
  t.equal(numbered(undefined), numbered('no\nnumber'))
  t.equal(numbered('f81d4fae-7dec-11d0-a765-00a0c91e6bf6'), 'f81d4fae-7dec-11d0-a765-00a0c91e6bf6')
})
