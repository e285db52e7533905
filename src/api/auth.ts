/** Who asks, and whether they may. */
import type { IncomingMessage } from 'node:http'
import { FleetError } from '../fleet/errors.ts'
import type { Actor } from '../fleet/transaction.ts'
import type { TokenIdentity, TokenStore } from '../ports/tokens.ts'
import { ROLES, type Role, type Route } from './routes.ts'

const ANONYMOUS: TokenIdentity = { name: 'anonymous', role: 'reader' }
/** Who sends what its handler verifies. */
const SIGNER: TokenIdentity = { name: 'signed', role: 'reader' }

/**
 * The token of an `Authorization` header: Bearer, or the password of Basic (git clients and engines log in that way).
 * Undefined when there is none.
 */
export function tokenOf(header: string | undefined): string | undefined {
  const match = /^(bearer|basic)\s+(\S+)\s*$/i.exec(header ?? '')
  const value = match?.[2]
  if (value === undefined || match?.[1]?.toLowerCase() === 'bearer') return value
  const [, ...password] = Buffer.from(value, 'base64').toString('utf8').split(':')
  return password.length === 0 ? undefined : password.join(':')
}

/** Who may use this route, if they may. @throws FleetError `unauthenticated`, `forbidden` */
export function admit(
  tokens: TokenStore,
  route: Pick<Route, 'role' | 'openOnLoopback' | 'signed'>,
  incoming: IncomingMessage,
): TokenIdentity {
  if (route.signed) return SIGNER
  const { authorization } = incoming.headers
  // Behind a proxy on this machine everybody would look like this machine.
  const forwarded = incoming.headers['x-forwarded-for'] ?? incoming.headers.forwarded
  const local = isLoopback(incoming.socket.remoteAddress) && forwarded === undefined
  if (route.openOnLoopback && local && authorization === undefined) return ANONYMOUS
  const identity = authenticate(tokens, authorization)
  authorise(identity, route.role)
  return identity
}

/** @throws FleetError `unauthenticated` */
function authenticate(tokens: TokenStore, header: string | undefined): TokenIdentity {
  const token = tokenOf(header)
  if (token === undefined || token === '') {
    throw new FleetError('unauthenticated', 'The request has no token; send "Authorization: Bearer <token>".')
  }
  const identity = tokens.verify(token)
  if (!identity) throw new FleetError('unauthenticated', 'The token is not known here, or was revoked.')
  return identity
}

/** @throws FleetError `forbidden` */
function authorise(identity: TokenIdentity, needed: Role): void {
  if (ROLES.indexOf(identity.role) >= ROLES.indexOf(needed)) return
  throw new FleetError(
    'forbidden',
    `This needs the role ${needed}; the token ${identity.name} has the role ${identity.role}.`,
  )
}

export function actorOf(identity: TokenIdentity, emails: Readonly<Record<string, string>>): Actor {
  return { name: identity.name, email: emails[identity.name] ?? `${identity.name}@fleetwright.invalid` }
}

/** Whether a peer is this machine itself, which may see health and metrics without a token. */
function isLoopback(address: string | undefined): boolean {
  return address === '::1' || /^(?:::ffff:)?127\./.test(address ?? '')
}
