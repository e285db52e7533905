/** Which utilities a cluster has, with their charts: the template set describes them, the fleet and the cluster pin them. */
import { FleetError } from '../../fleet/errors.ts'
import {
  type Cluster,
  type FleetSettings,
  type JsonObject,
  type JsonValue,
  UTILITY_NAMES,
  type UtilityName,
  type UtilityVersion,
} from '../../fleet/intents.ts'
import { parseBulkYaml } from '../../fleet/yaml/bulk.ts'
import { parseYaml } from '../../fleet/yaml/parse.ts'
import type { TemplateSet } from '../template-set.ts'

const UNMANAGED = 'unmanaged'
/** Of what is left alone and was never pinned: no chart has it, so a release that is resumed by hand changes nothing. */
const NO_VERSION = '0.0.0-unmanaged'

export interface Utility {
  readonly name: UtilityName
  /** Helm repository, `https://…` or `oci://…`. */
  readonly repository: string
  readonly chart: string
  readonly version: string
  readonly release: string
  readonly namespace: string
  readonly values: JsonObject
  /** Known, but left alone on this cluster. */
  readonly unmanaged: boolean
}

/** A utility that was asked for; without `utility` when nobody says where its chart is. */
export interface CatalogueEntry {
  readonly name: UtilityName
  readonly utility: Utility | undefined
}

/** In the order they are needed. @throws FleetError `invalid-template` */
export function catalogueOf(
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
): readonly CatalogueEntry[] {
  return UTILITY_NAMES.flatMap((name) => {
    const wanted = pinned(settings.utilities?.[name], cluster.spec.utilities?.[name])
    return wanted === undefined
      ? []
      : [{ name, utility: utilityOf(name, wanted, templates, settings, cluster) }]
  })
}

interface Pinned {
  readonly version: string
  readonly unmanaged: boolean
  readonly repository: string | undefined
  readonly values: JsonObject
}

/** Field by field the cluster's word is the last. */
function pinned(
  everywhere: UtilityVersion | undefined,
  here: UtilityVersion | undefined,
): Pinned | undefined {
  const last = here ?? everywhere
  if (last === undefined) return undefined
  const version = [here?.chart, everywhere?.chart].find((chart) => chart !== undefined && chart !== UNMANAGED)
  return {
    version: version ?? NO_VERSION,
    unmanaged: last.chart === UNMANAGED,
    repository: here?.repository ?? everywhere?.repository,
    values: merged(everywhere?.values ?? {}, here?.values ?? {}),
  }
}

function utilityOf(
  name: UtilityName,
  { version, unmanaged, repository, values }: Pinned,
  templates: TemplateSet,
  settings: FleetSettings['spec'],
  cluster: Cluster,
): Utility | undefined {
  const description = describe(templates, name, settings, cluster)
  const place = repository ?? textAt(description, 'repository')
  if (place === undefined) return undefined
  const defaults = description.values
  return {
    name,
    repository: place,
    chart: textAt(description, 'chart') ?? name,
    version,
    release: textAt(description, 'release') ?? name,
    namespace: textAt(description, 'namespace') ?? name,
    values: sorted(merged(isObject(defaults) ? defaults : {}, values)),
    unmanaged,
  }
}

function describe(
  templates: TemplateSet,
  name: UtilityName,
  settings: FleetSettings['spec'],
  cluster: Cluster,
): JsonObject {
  const template = `cluster/utilities/${name}`
  const text = templates.render(template, {
    clusterName: cluster.metadata.name,
    clusterId: cluster.metadata.id,
    clusterLabel: `-client.external-labels=cluster=${cluster.metadata.id}`,
    domain: settings.domain,
    ingressClass: cluster.spec.ingress?.className ?? settings.defaults.ingressClass,
    onAws: cluster.spec.provider === 'aws' || cluster.spec.vpc !== undefined,
  })
  const quick = parseBulkYaml(text)
  if (isObject(quick)) return quick
  const { value, problems } = parseYaml(template, text)
  if (isObject(value)) return value
  const [problem] = problems
  const detail =
    problem === undefined ? 'it must be a map' : `${problem.line}:${problem.column}: ${problem.detail}`
  throw new FleetError('invalid-template', `templates/${templates.name}/${template}.hbs: ${detail}`)
}

/** Objects are merged, everything else is replaced. */
function merged(below: JsonObject, above: JsonObject): JsonObject {
  const result = new Map<string, JsonValue>(Object.entries(below))
  for (const [key, value] of Object.entries(above)) {
    const under = result.get(key)
    result.set(key, isObject(value) && isObject(under) ? merged(under, value) : value)
  }
  return Object.fromEntries(result)
}

/** The order that a person gave the keys is no change. */
function sorted(value: JsonObject): JsonObject {
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))
  return Object.fromEntries(entries.map(([key, entry]) => [key, sortedValue(entry)]))
}

function sortedValue(value: JsonValue): JsonValue {
  if (isObject(value)) return sorted(value)
  return isList(value) ? value.map(sortedValue) : value
}

function textAt(description: JsonObject, key: string): string | undefined {
  const value = description[key]
  return typeof value === 'string' ? value : undefined
}

function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value)
}

/** `Array.isArray` does not narrow lists that are read-only. */
function isList(value: JsonValue): value is readonly JsonValue[] {
  return Array.isArray(value)
}
