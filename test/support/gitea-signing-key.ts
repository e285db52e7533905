/** A signing key of a user of Gitea, proven to be theirs as people do it: in the browser, by a signature of a text that Gitea gives. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import type { GiteaUser, GiteaWorld } from './gitea-world.ts'
import { publicKeyOf } from './ssh-keys.ts'

export async function addSigningKey(
  { gitea, call }: GiteaWorld,
  user: GiteaUser,
  path: string,
): Promise<void> {
  const key = publicKeyOf(path)
  const added = await call<{ fingerprint: string }>(user, 'POST', '/user/keys', { title: 'signing', key })
  const password = randomBytes(12).toString('base64url')
  const login = { login_name: user.login, source_id: 0, password }
  await gitea.call('PATCH', `/admin/users/${user.login}`, login)
  const cookie = await signIn(gitea.url, user.login, password)
  const keys = `${gitea.url}/user/settings/keys`
  const query = new URLSearchParams({ verify_ssh: added.fingerprint })
  const page = await (await fetch(`${keys}?${query}`, { headers: { cookie } })).text()
  const token = /echo -n '([0-9a-f]+)'/.exec(page)?.[1]
  if (token === undefined) throw new Error('gitea shows no text to sign')
  const signature = execFileSync('ssh-keygen', ['-Y', 'sign', '-q', '-n', 'gitea', '-f', path], {
    input: token,
    encoding: 'latin1',
  })
  const form = {
    type: 'verify_ssh',
    title: 'signing',
    content: key,
    fingerprint: added.fingerprint,
    signature,
  }
  const verified = await post(keys, form, cookie)
  if (verified.status !== 303) throw new Error(`gitea answered ${verified.status} to the signature`)
}

async function signIn(url: string, login: string, password: string): Promise<string> {
  const answer = await post(`${url}/user/login`, { user_name: login, password })
  if (answer.status !== 303) throw new Error(`gitea answered ${answer.status} to the login`)
  // The session from before the login is set first, and replaced.
  const cookies = answer.headers.getSetCookie().map((cookie) => (cookie.split(';')[0] ?? '').split('='))
  const last = new Map(cookies.map(([name, value]) => [name, value]))
  return [...last].map(([name, value]) => `${name}=${value}`).join('; ')
}

async function post(url: string, form: Readonly<Record<string, string>>, cookie = ''): Promise<Response> {
  return await fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: cookie === '' ? {} : { cookie },
    body: new URLSearchParams(form),
  })
}
