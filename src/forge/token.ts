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

/** What was learned with a token, until another one is there: it may be another user's. A failure is not kept. */
export function knownByToken<Value>(token: TokenSource, ask: () => Promise<Value>): () => Promise<Value> {
  let known: { readonly token: string; readonly value: Value } | undefined
  return async () => {
    const present = await token.present()
    if (known?.token !== present) known = { token: present, value: await ask() }
    return known.value
  }
}
