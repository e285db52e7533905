/** What a forge is logged in to with. */

export interface TokenSource {
  /** @throws FleetError when there is none */
  present(): Promise<string>
  /** The forge refused it. @returns another one to try; undefined: there is no other */
  renewed(refused: string): Promise<string | undefined>
}

/**
 * A token that somebody else rotates: it is read every time, so a new one is noticed.
 * @param read @throws FleetError when there is none
 */
export function rotatedToken(read: () => Promise<string>): TokenSource {
  return {
    present: read,
    async renewed(refused) {
      const present = await read()
      return present === refused ? undefined : present
    },
  }
}
