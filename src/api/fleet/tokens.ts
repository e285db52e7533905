/** Bearer tokens: made, listed, revoked. Values are shown once, when they are made. */
import { FleetError } from '../../fleet/errors.ts'
import type { TokenStore } from '../../ports/tokens.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { type Answer, empty, json, ROLES, type Route } from '../routes.ts'
import { object, text } from '../shapes.ts'

const CREATE = object({
  name: text('Who it is for; the actor of its commits. 1 to 63 of a-z, 0-9, ".", "_" and "-"'),
  role: text(`What it may do: ${ROLES.join(', ')}`),
})

const TOKEN_SCHEMA = {
  type: 'object',
  required: ['name', 'role', 'createdAt'],
  properties: {
    name: { type: 'string' },
    role: { enum: [...ROLES] },
    createdAt: { type: 'string', format: 'date-time' },
  },
} as const

export function tokenRoutes({ tokens }: Pick<Parts, 'tokens'>): readonly Route[] {
  const own = { role: 'admin', wire: false, dryRun: false } as const
  return [
    {
      ...own,
      method: 'GET',
      path: '/api/fleet/tokens',
      operationId: 'listTokens',
      summary: 'Names and roles of the tokens; the tokens themselves are not kept',
      responses: {
        200: {
          description: 'Tokens',
          schema: {
            type: 'object',
            required: ['tokens'],
            properties: { tokens: { type: 'array', items: TOKEN_SCHEMA } },
          },
        },
      },
      handler: async () => json(200, { tokens: tokens.list() }),
    },
    {
      ...own,
      method: 'POST',
      path: '/api/fleet/tokens',
      operationId: 'createToken',
      summary: 'Make a token; it is shown this once',
      request: CREATE,
      responses: {
        201: {
          description: 'The token',
          schema: {
            ...TOKEN_SCHEMA,
            required: [...TOKEN_SCHEMA.required, 'token'],
            properties: { ...TOKEN_SCHEMA.properties, token: { type: 'string' } },
          },
        },
      },
      handler: (context) => createToken(tokens, context),
    },
    {
      ...own,
      method: 'DELETE',
      path: '/api/fleet/tokens/{name}',
      operationId: 'revokeToken',
      summary: 'Make a token invalid at once',
      responses: { 204: { description: 'Revoked', schema: null } },
      handler: (context) => revokeToken(tokens, context.param('name')),
    },
  ]
}

async function createToken(tokens: TokenStore, context: HandlerContext): Promise<Answer> {
  const { name = '', role: wanted } = context.decode(CREATE)
  const role = ROLES.find((candidate) => candidate === wanted)
  if (role === undefined) {
    const detail = `must be one of ${ROLES.join(', ')}`
    throw new FleetError('invalid-request', `/role ${detail}.`, { errors: [{ pointer: '/role', detail }] })
  }
  const token = await tokens.create({ name, role })
  const made = tokens.list().find((record) => record.name === name)
  return { ...json(201, { ...made, token }), headers: { 'Cache-Control': 'no-store' } }
}

async function revokeToken(tokens: TokenStore, name: string): Promise<Answer> {
  const admins = tokens.list().filter(({ role }) => role === 'admin')
  if (admins.length === 1 && admins[0]?.name === name)
    throw new FleetError('guarded', `${name} is the last admin token; make another one first.`)
  if (!(await tokens.revoke(name))) throw new FleetError('not-found', `There is no token ${name}.`)
  return empty(204)
}
