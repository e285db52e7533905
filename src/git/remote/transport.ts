/** What carries git's protocol to one repository on a server: smart HTTP, or ssh. */
import type { FleetError } from '../../fleet/errors.ts'

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

/** How native git gets to the same repository. */
export interface NativeAccess {
  readonly url: string
  /** Settings for one run of git: nothing secret is seen on a command line or in a file. */
  environment(): Promise<Readonly<Record<string, string>>>
  /** Words of git without anything secret. */
  redact(text: string): string
  /** What git's words mean when the other side, or the way to it, is to blame. */
  failure(words: string): FleetError | undefined
}
