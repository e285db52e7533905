/** The second look at something that differs: read anew, and by a dry run where the role allows it. */
import { compareObject, type FieldDifference } from '../fleet/drift/compare.ts'
import { apiVersionOf, isApplied } from '../fleet/drift/documents.ts'
import { managerOf } from '../fleet/drift/manager.ts'
import { masked } from '../fleet/drift/mask.ts'
import { isFleetError } from '../fleet/errors.ts'
import type { EngineName, JsonObject } from '../fleet/intents.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'
import type { ClusterApi } from '../ports/clusters.ts'
import type { Drift } from '../ports/drifts.ts'
import type { Suspect } from './drift-state.ts'

const FIELD_MANAGERS = {
  argocd: 'argocd-controller',
  flux: 'kustomize-controller',
} as const satisfies Record<EngineName, string>

export interface SecondLookOptions {
  readonly api: Pick<ClusterApi, 'get' | 'dryRunApply'>
  readonly engine: EngineName
  /** The fleet's own patterns of secret variables. */
  readonly secretNames: readonly string[]
}

export interface SecondLook {
  /** As it is now; undefined: it is not there. */
  readonly live: LiveObject | undefined
  /** Undefined: it is as git wants it. */
  readonly found: Omit<Drift, 'cluster' | 'installation'> | undefined
}

/**
 * @param wanted its manifest; undefined: git does not have it
 * @throws FleetError `cluster-unavailable`, `cluster-forbidden` (reading)
 */
export async function secondLook(
  options: SecondLookOptions,
  { kind, namespace, name, since }: Suspect,
  wanted: JsonObject | undefined,
): Promise<SecondLook> {
  const inNamespace = kind.namespaced ? namespace : undefined
  const live = await options.api.get(kind, inNamespace, name)
  const object = { apiVersion: apiVersionOf(kind), kind: kind.kind, namespace: inNamespace ?? '', name }
  const base = { object, since, fields: [], confirmedBy: 'second-look' } as const
  if (wanted === undefined) {
    const alive = live !== undefined && live.metadata.deletionTimestamp === undefined && isApplied(live)
    return { live, found: alive ? { ...base, type: 'extra' } : undefined }
  }
  if (live === undefined) return { live, found: { ...base, type: 'missing' } }
  const differences = compareObject(wanted, live)
  if (differences.length === 0) return { live, found: undefined }
  const { fields, confirmedBy } = await dryRun(options, kind, wanted, differences)
  if (fields.length === 0) return { live, found: undefined }
  const shown = fields.map((difference) => shownField(difference, live, options.secretNames))
  return { live, found: { ...base, type: 'changed', fields: shown, confirmedBy } }
}

/** What a server-side apply would still change: admission and defaults have their say before anybody is told. */
async function dryRun(
  { api, engine }: SecondLookOptions,
  kind: ResourceKind,
  wanted: JsonObject,
  differences: readonly FieldDifference[],
): Promise<{ readonly fields: readonly FieldDifference[]; readonly confirmedBy: Drift['confirmedBy'] }> {
  try {
    // A rendered manifest has what every object has.
    const applied = await api.dryRunApply(kind, wanted as unknown as LiveObject, FIELD_MANAGERS[engine])
    const stays = new Set(compareObject(wanted, applied).map(({ path }) => path))
    return { fields: differences.filter(({ path }) => !stays.has(path)), confirmedBy: 'dry-run' }
  } catch (error) {
    if (isFleetError(error) && (error.code === 'cluster-forbidden' || error.code === 'cluster-rejected'))
      return { fields: differences, confirmedBy: 'second-look' }
    throw error
  }
}

function shownField(
  difference: FieldDifference,
  live: LiveObject,
  secretNames: readonly string[],
): Drift['fields'][number] {
  const manager = managerOf(live, difference.steps)
  const { path, wanted, found } = masked(difference, secretNames)
  return {
    path,
    ...(wanted === undefined ? {} : { wanted }),
    ...(found === undefined ? {} : { found }),
    ...(manager === undefined ? {} : { manager }),
  }
}
