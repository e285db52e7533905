/** Kubernetes API servers, looked at. Implemented in src/kube; nothing here changes what a cluster runs. */
import type { Slug } from '../fleet/intents.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'
import type { Contact } from '../fleet/observed/sight.ts'

/** The control cluster has no document of its own; this is its name here. */
export const CONTROL_CLUSTER = '@control'
export type ClusterName = Slug | typeof CONTROL_CLUSTER

export interface WatchOptions {
  readonly kind: ResourceKind
  readonly namespace?: string
  readonly labelSelector?: string
  /** Trims an object to what is read of it, before it is kept. */
  readonly keep: (object: LiveObject) => LiveObject
  /**
   * Added or changed objects, and removed ones (of what vanished unseen only the metadata's name and namespace are known).
   * Serial for one watch.
   */
  readonly onChange: (change: { readonly object: LiveObject; readonly removed: boolean }) => void
  /** Everything there is has been told. Called after each (re)list. */
  readonly onListed?: () => void
}

export interface Watch {
  /** Complete since the start and connected now. */
  readonly fresh: boolean
  close(): Promise<void>
}

export interface ClusterApi {
  readonly name: ClusterName
  readonly contact: Contact
  /**
   * List and watch, for ever: resumes with bookmarks, lists again after 410, backs off with jitter. A kind that the server
   * does not know (its CRD is missing) is looked for again from time to time. Never throws; `contact` tells.
   */
  watch(options: WatchOptions): Watch
  /** In pages, bounded memory. @throws FleetError `cluster-unavailable`, `cluster-forbidden` */
  list(
    kind: ResourceKind,
    visit: (object: LiveObject) => void,
    options?: { readonly namespace?: string; readonly labelSelector?: string },
  ): Promise<void>
  /** Undefined when it is not there. @throws FleetError `cluster-unavailable`, `cluster-forbidden` */
  get(kind: ResourceKind, namespace: string | undefined, name: string): Promise<LiveObject | undefined>
  /**
   * What a server-side apply would make of it; nothing is written.
   * @throws FleetError `cluster-forbidden` (the role does not allow dry runs), `cluster-rejected`, `cluster-unavailable`
   */
  dryRunApply(kind: ResourceKind, object: LiveObject, fieldManager: string): Promise<LiveObject>
  /** Sets annotations of an engine's object, to make it look now (the only thing ever written). @throws as `get` */
  annotate(
    kind: ResourceKind,
    namespace: string,
    name: string,
    annotations: Readonly<Record<string, string>>,
  ): Promise<void>
  /** Called when contact is lost, found again, or its problem changes; returns the unsubscription. */
  onContact(listener: (contact: Contact) => void): () => void
  close(): Promise<void>
}

/** Connections by cluster, opened when first asked for; credentials are read again when they change. */
export interface Clusters {
  get(name: ClusterName): ClusterApi
  /** Closes connections of clusters that are not in the fleet any more. */
  retain(names: ReadonlySet<ClusterName>): Promise<void>
  close(): Promise<void>
}

/** Where the credentials of a cluster come from; references only. */
export type ClusterCredentials =
  | { readonly source: 'kubeconfig'; readonly text: string; readonly version: string }
  | {
      readonly source: 'eks'
      readonly clusterName: string
      readonly region: string
      readonly roleArn?: string
    }

/** Where an API server is and how to log in. Holds secrets: never logged. */
export interface Endpoint {
  readonly url: URL
  readonly certificateAuthority: string | undefined
  readonly serverName: string | undefined
  readonly clientCertificate: string | undefined
  readonly clientKey: string | undefined
  /** The bearer token for the next request. @throws FleetError `credentials-invalid`, `credentials-unavailable` */
  readonly token: () => Promise<string | undefined>
}

export interface CredentialSource {
  /** @throws FleetError `credentials-missing`, `credentials-invalid`, `credentials-unavailable` */
  read(cluster: ClusterName): Promise<ClusterCredentials>
  /** Called when credentials may have changed; returns the unsubscription. */
  onChange(listener: (cluster: ClusterName) => void): () => void
  close(): Promise<void>
}
