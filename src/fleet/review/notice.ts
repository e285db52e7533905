/** What the users of an installation notice of a change of it. */
import { isDeepStrictEqual } from 'node:util'
import { type EffectiveConfiguration, effectiveConfiguration } from '../configuration.ts'
import type { Fleet } from '../fleet.ts'
import type { Installation, InstallationSpec } from '../intents.ts'
import { sizeOf } from '../sizes.ts'

/** The groups of one revision, by name. */
export type Groups = Pick<Fleet, 'group'>

export interface Version {
  readonly installation: Installation
  readonly groups: Groups
}

/** @returns undefined: nothing */
export function noticed(before: Version, after: Version): string | undefined {
  const [was, is] = [before.installation.spec, after.installation.spec]
  const found = [
    ...moves(was, is),
    ...sleeps(was, is),
    ...addresses(was, is),
    ...restarts(before, after),
    ...scales(was, is),
  ]
  return found.length === 0 ? undefined : found.join('; ')
}

/** Where it answers; undefined when it has no name. */
export function addressOf({ dns }: InstallationSpec): string | undefined {
  const live = namesOf(dns)
  return (live.find(({ primary }) => primary === true) ?? live[0])?.name
}

function namesOf(dns: InstallationSpec['dns']): InstallationSpec['dns'] {
  return dns.filter(({ deletedAt }) => deletedAt === undefined)
}

function* moves(was: InstallationSpec, is: InstallationSpec): Iterable<string> {
  const [from, to] = [was.placement?.cluster, is.placement?.cluster]
  if (from !== to) {
    if (from === undefined) yield `gets its place on ${to}`
    else yield to === undefined ? `leaves ${from} and waits for a cluster` : `moves from ${from} to ${to}`
  }
  if (from !== undefined && !isDeepStrictEqual(placeOfData(was), placeOfData(is)))
    yield `is given another database (${databaseName(was)} → ${databaseName(is)}); data does not move by itself`
  if (from !== undefined && !isDeepStrictEqual(was.filestore, is.filestore))
    yield `is given another file store (${was.filestore.kind} → ${is.filestore.kind}); files do not move by themselves`
}

function placeOfData({ database }: InstallationSpec): unknown {
  const { kind, shared, externalSecretKey } = database
  return [kind, shared?.database, shared?.logicalDatabase, shared?.schema, externalSecretKey]
}

function databaseName({ database }: InstallationSpec): string {
  return database.shared === undefined ? database.kind : `${database.kind} in ${database.shared.database}`
}

function* sleeps(was: InstallationSpec, is: InstallationSpec): Iterable<string> {
  if (was.hibernated === is.hibernated) return
  if (is.hibernated === true) yield 'is put to sleep: nobody can use it until it is woken'
  else if (was.hibernated === true) yield 'is woken: it can be used again'
}

function* addresses(was: InstallationSpec, is: InstallationSpec): Iterable<string> {
  const [from, to] = [addressOf(was), addressOf(is)]
  if (from !== to) yield `its address changes from ${from ?? '(none)'} to ${to ?? '(none)'}`
  const [old, now] = [was, is].map(({ dns }) => new Set(namesOf(dns).map(({ name }) => name)))
  const gone = [...(old ?? [])].filter((name) => now?.has(name) === false && name !== from)
  const fresh = [...(now ?? [])].filter((name) => old?.has(name) === false && name !== to)
  if (gone.length > 0) yield `does not answer at ${gone.join(', ')} any more`
  if (fresh.length > 0) yield `also answers at ${fresh.join(', ')}`
  if (!isDeepStrictEqual(openTo(was), openTo(is))) yield 'other networks may reach it'
}

function openTo({ allowedIpRanges }: InstallationSpec): unknown {
  return (allowedIpRanges ?? []).filter(({ enabled }) => enabled).map(({ cidrBlock }) => cidrBlock)
}

/** Everything here stands in the template of the pods. */
function* restarts(before: Version, after: Version): Iterable<string> {
  const [was, is] = [contentOfPods(before), contentOfPods(after)]
  const why = Object.keys(is).filter((name) => !isDeepStrictEqual(was[name], is[name]))
  if (why.length === 0) return
  const asleep = before.installation.spec.hibernated === true && after.installation.spec.hibernated === true
  const words = why.map((name) => {
    const [from, to] = [was[name], is[name]]
    return typeof from === 'string' && typeof to === 'string' ? `${name} ${from} → ${to}` : name
  })
  yield asleep
    ? `has other pods once it is woken (${words.join(', ')})`
    : `its pods are replaced (${words.join(', ')})`
}

function contentOfPods({ installation, groups }: Version): Readonly<Record<string, unknown>> {
  const { spec } = installation
  const running: EffectiveConfiguration = effectiveConfiguration(groups, installation, 'rendered')
  const size = sizeOf(spec.size)
  return {
    version: running.version,
    image: running.image,
    variables: running.env,
    scheduling: running.scheduling,
    resources: size === undefined ? undefined : [size.requests, size.limits],
    group: running.group?.metadata.name,
    address: addressOf(spec),
    command: spec.command,
    volumes: spec.volumes ?? {},
    licence: spec.licence,
    probes: spec.podProbeOverrides,
    database: placeOfData(spec),
    'file store': spec.filestore,
    'template set': spec.templateSet,
  }
}

function* scales(was: InstallationSpec, is: InstallationSpec): Iterable<string> {
  const [from, to] = [sizeOf(was.size)?.replicas, sizeOf(is.size)?.replicas]
  if (from === to || from === undefined || to === undefined) return
  yield `has ${to} ${to === 1 ? 'pod' : 'pods'} instead of ${from}`
}
