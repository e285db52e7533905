import { test } from 'tap'
import { isFleetError } from '../../src/fleet/errors.ts'
import { endpointOf } from '../../src/kube/kubeconfig.ts'

const SECRET = 'very-secret-token'

function kubeconfig(cluster: object, user: object, extra: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'x',
    clusters: [{ name: 'c', cluster: { server: 'https://127.0.0.1:6443', ...cluster } }],
    users: [{ name: 'u', user }],
    contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
    ...extra,
  })
}

test('a kubeconfig with a token says where the server is', async (t) => {
  const endpoint = await endpointOf(
    kubeconfig({ 'certificate-authority-data': Buffer.from('CA').toString('base64') }, { token: SECRET }),
  )
  t.match(endpoint, { certificateAuthority: 'CA', url: { host: '127.0.0.1:6443' } })
  t.equal(await endpoint.token(), SECRET)
})

const REFUSED: readonly (readonly [string, string, RegExp])[] = [
  ['not YAML', `{${SECRET}`, /no kubeconfig/],
  ['no context', kubeconfig({}, { token: SECRET }, { 'current-context': 'other' }), /current-context/],
  ['plain HTTP', kubeconfig({ server: 'http://127.0.0.1' }, { token: SECRET }), /https/],
  [
    'TLS not checked',
    kubeconfig({ 'insecure-skip-tls-verify': true }, { token: SECRET }),
    /insecure-skip-tls-verify/,
  ],
  [
    'a file of this machine',
    kubeconfig({ 'certificate-authority': '/etc/passwd' }, { token: SECRET }),
    /refers to files/,
  ],
  [
    'a program',
    kubeconfig(
      {},
      { exec: { apiVersion: 'client.authentication.k8s.io/v1', command: 'touch', args: [SECRET] } },
    ),
    /through a program/,
  ],
  ['a password', kubeconfig({}, { username: 'u', password: SECRET }), /password/],
  ['nothing to log in with', kubeconfig({}, {}), /neither/],
]

test('what is not safe is refused, with what is wrong and no value of it', async (t) => {
  for (const [name, text, expected] of REFUSED) {
    const error = await endpointOf(text).then(
      () => undefined,
      (thrown: unknown) => thrown,
    )
    t.ok(isFleetError(error) && error.code === 'credentials-invalid', name)
    t.match(String(error), expected, `${name}: says what`)
    t.notMatch(JSON.stringify([String(error), error]), SECRET, `${name}: tells no secret`)
  }
})
