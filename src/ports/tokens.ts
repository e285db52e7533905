/** Bearer tokens: random, kept as hashes, one role each. */
export interface TokenIdentity {
  readonly name: string
  readonly role: 'reader' | 'writer' | 'admin'
}

export interface TokenRecord extends TokenIdentity {
  /** RFC 3339. */
  readonly createdAt: string
}

export interface TokenStore {
  /** Whose token this is; undefined for an unknown one. Compared in constant time. */
  verify(token: string): TokenIdentity | undefined
  list(): readonly TokenRecord[]
  /** Makes a token and returns it in clear, once. @throws FleetError `name-taken`, `invalid-request` */
  create(identity: TokenIdentity): Promise<string>
  /** False when there is none of that name. */
  revoke(name: string): Promise<boolean>
  /**
   * Sees to it that the token `admin` exists: with the given value, or with a new one when there is no admin token yet.
   * @returns the new token in clear; undefined when nothing had to be made
   */
  ensureAdmin(token?: string): Promise<string | undefined>
}
