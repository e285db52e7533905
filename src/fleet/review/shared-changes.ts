/** What a change of a cluster, a shared database or the settings means to the installations there. */
import { isDeepStrictEqual } from 'node:util'
import type { Fleet, IntentChange } from '../fleet.ts'
import type { Cluster, FleetSettings, SharedDatabase } from '../intents.ts'
import type { SharedChange } from './plan.ts'

export function sharedChanges(
  net: readonly IntentChange[],
  was: FleetSettings,
  after: Fleet,
): readonly SharedChange[] {
  return net.flatMap(({ before, after: is }): readonly SharedChange[] => {
    if (before?.kind === 'Fleet' && is?.kind === 'Fleet')
      return told('fleet', is.metadata.name, after.installationCount(), settingsEffects(was, is))
    if (before?.kind === 'Cluster' && is?.kind === 'Cluster') {
      const { name } = is.metadata
      return told('cluster', name, after.occupancy(name).installations, clusterEffects(before, is))
    }
    if (before?.kind === 'SharedDatabase' && is?.kind === 'SharedDatabase') {
      const { name } = is.metadata
      return told('database', name, after.usage(name).installations, databaseEffects(before, is))
    }
    return []
  })
}

function told(
  kind: SharedChange['kind'],
  name: string,
  installations: number,
  effects: Iterable<string>,
): readonly SharedChange[] {
  const effect = [...effects].join('; ')
  return effect === '' ? [] : [{ kind, name, installations, effect }]
}

function differs(before: unknown, after: unknown): boolean {
  return !isDeepStrictEqual(before, after)
}

function* clusterEffects({ spec: was }: Cluster, { spec: is }: Cluster): Iterable<string> {
  if (differs(was.ingress, is.ingress)) yield 'another ingress or load balancer answers for all of them'
  if (differs(was.oidcProvider, is.oidcProvider))
    yield 'they log in to AWS in another way, and their pods are replaced'
  const changed = Object.keys({ ...was.utilities, ...is.utilities }).filter((name) => {
    const utility = name as keyof NonNullable<Cluster['spec']['utilities']>
    return differs(was.utilities?.[utility], is.utilities?.[utility])
  })
  if (changed.length > 0) yield `utilities beside them change (${changed.sort().join(', ')})`
  if (differs(was.engine, is.engine)) yield 'another engine applies their manifests'
  if (differs(was.templateSet, is.templateSet)) yield 'the cluster is rendered by another template set'
  if (differs(was.kubernetes, is.kubernetes)) yield 'Kubernetes or its machines change, and pods may move'
}

function* databaseEffects({ spec: was }: SharedDatabase, { spec: is }: SharedDatabase): Iterable<string> {
  const ends = ({ writerEndpoint, readerEndpoint, port }: typeof was): unknown => [
    writerEndpoint,
    readerEndpoint,
    port,
  ]
  if (differs(ends(was), ends(is))) yield 'they are told another address of their database'
}

/** Defaults are for new installations. */
function* settingsEffects({ spec: was }: FleetSettings, { spec: is }: FleetSettings): Iterable<string> {
  const ofPods = ({ secretStore, aws, probes, defaults }: typeof was): unknown => [
    secretStore,
    aws,
    probes,
    defaults.ndots,
  ]
  if (differs(ofPods(was), ofPods(is))) yield 'settings of every manifest change, and pods are replaced'
  const ofIngress = ({ dns, internalIpRanges, defaults }: typeof was): unknown => [
    dns,
    internalIpRanges,
    defaults.ingressClass,
  ]
  if (differs(ofIngress(was), ofIngress(is))) yield 'ingress or DNS of every installation changes'
  if (differs(was.utilities, is.utilities)) yield 'utilities of every cluster change'
  if (differs([was.engine, was.repository], [is.engine, is.repository]))
    yield 'how the engines apply the fleet changes'
}
