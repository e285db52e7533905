/** Secret backend: values never enter git, git holds the key. Keys are new for every value and never written twice. */
export interface SecretBackend {
  /** Stores a value under a key that is not in use. Durable when it resolves. @throws FleetError `secret-backend-unavailable` */
  put(key: string, value: string): Promise<void>
  /** Undefined when there is none. */
  get(key: string): Promise<string | undefined>
  /** Removing what is not there is fine. */
  remove(key: string): Promise<void>
  /** Keys below a prefix, with the time they were made (milliseconds since 1970). */
  list(prefix: string): Promise<readonly { readonly key: string; readonly createdAt: number }[]>
  close(): Promise<void>
}
