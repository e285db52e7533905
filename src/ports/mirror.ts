/** A copy of the fleet repository elsewhere. */
export interface Mirror {
  /** Its address, without anything secret. */
  readonly name: string
  /**
   * Brings main and the projections there as they are now; never with force.
   * @throws FleetError `remote-unavailable`, `remote-denied`, `remote-refused` (its words); what the home has is untouched
   */
  push(signal: AbortSignal): Promise<void>
  close(): Promise<void>
}
