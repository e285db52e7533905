/** What carries git's protocol to one repository on a server: smart HTTP, or ssh. */
import type { NativeAccess } from '../contracts.ts'

export type Service = 'git-upload-pack' | 'git-receive-pack'

/** Version 1 stands for the oldest one too, which says no number. */
export type ProtocolVersion = 1 | 2

/** What a server says about itself before it is asked anything. */
export interface Advertisement {
  readonly protocolVersion: ProtocolVersion
  /** Version 1: names, with their values as `name=value`. Version 2: names of commands and capabilities. */
  readonly capabilities: ReadonlySet<string>
  /** Version 1 only. */
  readonly refs: ReadonlyMap<string, string>
  /** Version 1 only. */
  readonly symrefs: ReadonlyMap<string, string>
}

/** Every method: @throws FleetError `remote-unavailable`, `remote-denied`, `remote-refused` */
export interface GitTransport {
  /** As `git clone` takes it; holds nothing secret. */
  readonly url: string
  /** @param version the highest one that is understood */
  advertisement(service: Service, version: ProtocolVersion): Promise<Advertisement>
  /** One request and the whole answer to it, which may break off. */
  exchange(service: Service, version: ProtocolVersion, request: readonly Buffer[]): Promise<Buffer>
  readonly native: NativeAccess
  close(): Promise<void>
}
