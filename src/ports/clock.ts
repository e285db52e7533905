/** The one door to time and randomness. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number
  /** Milliseconds since some point, never going back. */
  monotonic(): number
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>
}

export interface Randomness {
  bytes(count: number): Uint8Array
}
