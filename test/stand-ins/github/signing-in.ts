/** Who is let in: tokens of users, an App by its signature, git with the same tokens. */
import { createPublicKey, verify } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { createGitHttpHandler } from '../../../src/git/http-server.ts'
import type { Answer, Call } from '../described-api.ts'
import { APP_ID, type Handlers, INSTALLATION_ID, OWNER, REPO, SELF, type State } from './world.ts'

/** Clones and pushes with the same tokens. */
export function gitOverHttp({
  directory,
  tokens,
}: State): (request: IncomingMessage, response: ServerResponse) => void {
  const handler = createGitHttpHandler(directory)
  return (request, response) => {
    const basic = (request.headers.authorization ?? '').replace(/^Basic /, '')
    const [user, token = ''] = Buffer.from(basic, 'base64').toString().split(':')
    if (user !== 'x-access-token' || !tokens.has(token))
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="GitHub"' }).end()
    else void handler(request, response, (request.url ?? '').replace(`/${OWNER}/${REPO}.git`, ''))
  }
}

const BAD_CREDENTIALS: Answer = { status: 401, body: { message: 'Bad credentials' } }

export function authorize(state: State, { operation, headers }: Call): Answer | undefined {
  const [scheme, token = ''] = (headers.authorization ?? '').split(' ')
  if (scheme?.toLowerCase() !== 'bearer') return BAD_CREDENTIALS
  if (!/ \/app(\/|$)/.test(operation)) return state.tokens.has(token) ? undefined : BAD_CREDENTIALS
  return isSignedByApp(state, token)
    ? undefined
    : { status: 401, body: { message: 'A JSON web token could not be decoded' } }
}

/** RS256, of this App, not older than the ten minutes that GitHub allows. */
function isSignedByApp({ appKey, time }: State, jwt: string): boolean {
  const [head = '', payload = '', signature = ''] = jwt.split('.')
  if (appKey === undefined || signature === '') return false
  const { alg } = JSON.parse(Buffer.from(head, 'base64url').toString())
  const { iss, iat, exp } = JSON.parse(Buffer.from(payload, 'base64url').toString())
  const key = appKey.type === 'public' ? appKey : createPublicKey(appKey)
  const isSigned = verify(
    'sha256',
    Buffer.from(`${head}.${payload}`),
    key,
    Buffer.from(signature, 'base64url'),
  )
  const now = Date.now() / 1000
  return (
    alg === 'RS256' && isSigned && iss === APP_ID && iat <= now && exp > now && exp - iat <= 600 && time() > 0
  )
}

export function signingIn(state: State): Handlers {
  return {
    'GET /app': () => ({ status: 200, body: { id: APP_ID, slug: SELF, name: 'Fleetwright' } }),
    'POST /app/installations/{installation_id}/access_tokens': ({ path }) => {
      if (path.installation_id !== String(INSTALLATION_ID))
        return { status: 404, body: { message: 'Not Found' } }
      const token = `ghs_${state.minted.length + 1}_of_the_installation`
      state.minted.push(token)
      state.tokens.add(token)
      return {
        status: 201,
        body: {
          token,
          expires_at: new Date(state.time() + 3_600_000).toISOString(),
          permissions: { contents: 'write', checks: 'write', pull_requests: 'write', metadata: 'read' },
          repository_selection: 'selected',
        },
      }
    },
    'GET /user': () => ({ status: 200, body: { login: state.self, type: 'User' } }),
  }
}
