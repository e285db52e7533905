/** Secret backend: values never enter git, git holds the key. Keys are new for every value and never written twice. */
export interface SecretBackend {
  /**
   * Stores a value of 1 to 65,536 bytes. Durable when it resolves. The same value under the same key again is fine (an
   * answer may have been lost).
   * @throws FleetError `invalid-request` (key or size), `secret-exists`, `secret-backend-unavailable`, `secret-backend-refused`
   */
  put(key: string, value: string): Promise<void>
  /** Undefined when there is none. */
  get(key: string): Promise<string | undefined>
  /**
   * Removing what is not there is fine.
   * @param how `recoverable`: where the backend has a bin, into it; what the sweep removes may be somebody's mistake
   */
  remove(key: string, how?: 'recoverable'): Promise<void>
  /** Keys below a prefix, with the time they were made (milliseconds since 1970). */
  list(prefix: string): Promise<readonly StoredSecret[]>
  /** Whether it can be used now. @throws FleetError `secret-backend-unavailable`, `secret-backend-refused` */
  check(): Promise<void>
  close(): Promise<void>
}

export interface StoredSecret {
  readonly key: string
  readonly createdAt: number
}

/** Keys that requests under way rely on, so that the sweep leaves them alone. */
export interface SecretHolds {
  /**
   * Holds keys until the function that it returns is called.
   * @throws FleetError `secret-removed` when one is being removed at this moment
   */
  hold(keys: readonly string[]): () => void
  isHeld(key: string): boolean
  /** Runs a removal unless the key is held; nobody can hold it meanwhile. False: it was held. */
  removing(key: string, remove: () => Promise<void>): Promise<boolean>
}
