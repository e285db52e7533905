/** A drift detector beside a cluster that tests fill by hand. */
import type { Test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import type { JsonObject } from '../../src/fleet/intents.ts'
import { MATTERMOST } from '../../src/fleet/observed/mattermost.ts'
import { type LiveObject, objectKey, type ResourceKind } from '../../src/fleet/observed/objects.ts'
import type { ClusterApi } from '../../src/ports/clusters.ts'
import type { Drift } from '../../src/ports/drifts.ts'
import { type DriftDetector, startDriftDetector } from '../../src/reconcile/drift-detector.ts'
import { systemClock } from '../../src/system/clock.ts'
import { id } from './intents.ts'

export const ID = id(1)
export const APPLIED = {
  manager: 'argocd-controller',
  operation: 'Apply',
  time: '2026-11-24T10:00:00Z',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
}
export const EDITED = {
  manager: 'kubectl-edit',
  operation: 'Update',
  time: '2026-11-24T11:00:00Z',
  fieldsV1: { 'f:spec': { 'f:replicas': {} } },
}

export function mattermost(
  replicas: number,
  managedFields: readonly JsonObject[] = [APPLIED],
  name = 'mm',
): LiveObject {
  return {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name, namespace: ID, managedFields, resourceVersion: String(replicas) },
    spec: { replicas },
  }
}

export function document(replicas: number, name = 'mm'): JsonObject {
  return {
    apiVersion: 'installation.mattermost.com/v1beta1',
    kind: 'Mattermost',
    metadata: { name, namespace: ID },
    spec: { replicas },
  }
}

export interface DriftWorld {
  readonly detector: DriftDetector
  readonly live: Map<string, LiveObject>
  /** How often manifests were parsed. */
  parsed: number
  /** Lists of this kind are refused. */
  forbidden: ResourceKind | undefined
  wanted: readonly JsonObject[]
  /** What is in git is no YAML. */
  unreadable: boolean
  settled: boolean
  connected: boolean
  /** What a dry run answers; by default what is wanted. */
  dryRun: (wanted: LiveObject) => LiveObject
  /** An object changes, and the watch tells. */
  put(object: LiveObject): void
  /** An object changes, and no watch tells. */
  steal(object: LiveObject): void
  remove(object: LiveObject): void
  until(count: number): Promise<readonly Drift[]>
  /** Nothing is reported for a while. */
  quiet(): Promise<void>
}

export function driftWorld(t: Test, wanted: readonly JsonObject[]): DriftWorld {
  const live = new Map<string, LiveObject>()
  const keyOf = ({ metadata }: LiveObject): string =>
    objectKey(MATTERMOST, metadata.namespace ?? '', metadata.name)
  const api = {
    get contact() {
      return { connected: state.connected, lastContact: 0 }
    },
    get: async (kind: ResourceKind, namespace: string | undefined, name: string) =>
      live.get(objectKey(kind, namespace ?? '', name)),
    async list(kind: ResourceKind, visit: (object: LiveObject) => void) {
      if (kind === state.forbidden) throw new FleetError('cluster-forbidden', 'not allowed')
      if (kind === MATTERMOST) for (const object of live.values()) visit(object)
    },
    dryRunApply: async (_kind: ResourceKind, object: LiveObject) => state.dryRun(object),
  }
  const detector = startDriftDetector({
    manifests: {
      async of() {
        state.parsed += 1
        if (state.unreadable) throw new FleetError('invalid-document', 'manifest.yaml is no YAML')
        return { version: versionOf(state.wanted), documents: state.wanted }
      },
      versionOf: async () => versionOf(state.wanted),
    },
    // Only these three are asked.
    api: () => api as unknown as ClusterApi,
    engineOf: () => 'argocd',
    isSettled: () => state.settled,
    secretNames: () => [],
    clock: systemClock,
    onError: (error) => t.fail(String(error)),
  })
  t.teardown(() => detector.close())
  const state: DriftWorld = {
    detector,
    live,
    parsed: 0,
    forbidden: undefined,
    wanted,
    unreadable: false,
    settled: true,
    connected: true,
    dryRun: (object) => object,
    put(object) {
      live.set(keyOf(object), object)
      detector.object('prod-1', MATTERMOST, object, false)
    },
    steal(object) {
      live.set(keyOf(object), object)
    },
    remove(object) {
      live.delete(keyOf(object))
      detector.object('prod-1', MATTERMOST, object, true)
    },
    async until(count) {
      for (let at = 0; at < 300 && detector.all().length !== count; at += 1)
        await new Promise((resolve) => setTimeout(resolve, 10))
      t.equal(detector.all().length, count, `${count} drifts`)
      return detector.all()
    },
    async quiet() {
      await new Promise((resolve) => setTimeout(resolve, 700))
      t.strictSame(detector.all(), [])
    },
  }
  return state
}

/** As the id of a blob: by content. */
function versionOf(wanted: readonly JsonObject[]): ObjectId {
  return JSON.stringify(wanted) as ObjectId
}
