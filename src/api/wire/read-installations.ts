/** Reading installations: one, many, numbers. */
import { FleetError } from '../../fleet/errors.ts'
import { isId } from '../../fleet/ids.ts'
import type { Fleet } from '../../fleet/fleet.ts'
import type { Installation, Tombstone } from '../../fleet/intents.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { PAGING_QUERY, pageOf, readBoolean, readPaging } from '../query.ts'
import { type Answer, json, type Route } from '../routes.ts'
import { deletedAtOf, installationView, stateOf } from '../views/installation.ts'
import { listOf, schemaOf } from '../views/schemas.ts'
import { likePattern } from './like-pattern.ts'

const FILTERS = ['owner', 'group', 'state', 'dns_name', 'name', 'deletion_locked'] as const

export function installationReadRoutes(parts: Parts): readonly Route[] {
  const wire = { wire: true, role: 'reader', method: 'GET' } as const
  const filters = Object.fromEntries(
    FILTERS.map((name) => [
      name,
      { description: `Only those with this ${name.replace('_', ' ')}`, schema: { type: 'string' } },
    ]),
  )
  return [
    {
      ...wire,
      path: '/api/installations',
      operationId: 'listInstallations',
      summary: 'List installations',
      query: { ...PAGING_QUERY, ...filters },
      responses: { 200: { description: 'Installations, oldest first', schema: listOf('Installation') } },
      handler: async ({ query }) => listInstallations(parts, query),
    },
    {
      ...wire,
      path: '/api/installations/count',
      operationId: 'countInstallations',
      summary: 'Count installations',
      responses: { 200: { description: 'Number', schema: schemaOf('InstallationsCount') } },
      async handler({ query }) {
        const { fleet } = parts.writer
        const deleted = readBoolean(query, 'include_deleted', false) ? gone(fleet).length : 0
        return json(200, { Count: fleet.installationCount() + deleted })
      },
    },
    {
      ...wire,
      path: '/api/installations/status',
      operationId: 'getInstallationsStatus',
      summary: 'Numbers of installations by state',
      responses: { 200: { description: 'Numbers', schema: schemaOf('InstallationsStatus') } },
      handler: async () => json(200, statusOf(parts)),
    },
    {
      ...wire,
      path: '/api/installation/{id}',
      operationId: 'getInstallation',
      summary: 'Get an installation',
      responses: { 200: { description: 'The installation', schema: schemaOf('Installation') } },
      handler: async (context) => getInstallation(parts, context),
    },
  ]
}

interface Listed {
  readonly installation: Installation
  readonly tombstone?: Tombstone
}

function getInstallation(parts: Parts, context: HandlerContext): Answer {
  const { fleet } = parts.writer
  const live = fleet.installation(context.id())
  const tombstone = live === undefined ? fleet.tombstone(context.id()) : undefined
  const installation = live ?? tombstone?.spec.installation
  if (installation === undefined)
    throw new FleetError('not-found', `There is no installation ${context.id()}.`)
  return json(
    200,
    viewOf(parts, { installation, ...(tombstone === undefined ? {} : { tombstone }) }, context.query),
  )
}

function viewOf(parts: Parts, { installation, tombstone }: Listed, query: URLSearchParams): object {
  const withGroup = readBoolean(query, 'include_group_config', true)
  const withOverrides = readBoolean(query, 'include_group_config_overrides', true)
  const deletedAt = tombstone === undefined ? undefined : deletedAtOf(tombstone)
  return installationView(parts, parts.writer.fleet, installation, {
    withGroup,
    withOverrides,
    ...(deletedAt === undefined ? {} : { deletedAt }),
  })
}

function listInstallations(parts: Parts, query: URLSearchParams): Answer {
  const { fleet } = parts.writer
  const paging = readPaging(query)
  const live: readonly Listed[] = candidates(parts, query).map((installation) => ({ installation }))
  const deleted = paging.includeDeleted
    ? gone(fleet).map((tombstone) => ({ installation: tombstone.spec.installation, tombstone }))
    : []
  const all =
    deleted.length === 0
      ? live
      : [...live, ...deleted].sort((a, b) =>
          a.installation.metadata.createdAt < b.installation.metadata.createdAt ? -1 : 1,
        )
  const found = all.filter(filterOf(parts, query))
  return json(
    200,
    pageOf(found, paging).map((listed) => viewOf(parts, listed, query)),
  )
}

/** Tombstones of what is no longer there; others stand for a removal under way. */
function gone(fleet: Fleet): readonly Tombstone[] {
  return fleet.tombstones().filter(({ metadata }) => fleet.installation(metadata.id) === undefined)
}

/** A name or a DNS name is looked up; only the other filters look at every installation. */
function candidates({ writer }: Parts, query: URLSearchParams): readonly Installation[] {
  const { fleet } = writer
  const name = query.get('name')
  const dns = query.get('dns_name')
  if (name) return present(fleet.installationByName(name))
  if (dns && !dns.includes('%')) return present(fleet.installationByDns(dns))
  return fleet.installations()
}

function present(installation: Installation | undefined): readonly Installation[] {
  return installation === undefined ? [] : [installation]
}

/** What the query asks for is read once, not once an installation. */
function filterOf(parts: Parts, query: URLSearchParams): (listed: Listed) => boolean {
  const { fleet } = parts.writer
  const [owner, group, state, dns, name, locked] = FILTERS.map((filter) => query.get(filter))
  const groupName = group && isId(group) ? fleet.groupById(group)?.metadata.name : undefined
  const matchesDns = dns ? likePattern(dns) : undefined
  const wantsLocked = locked ? readBoolean(query, 'deletion_locked', false) : undefined
  return ({ installation, tombstone }) => {
    const { metadata, spec } = installation
    if (owner && spec.owner !== owner) return false
    if (group && (groupName === undefined || spec.group !== groupName)) return false
    if (state && (tombstone === undefined ? stateOf(parts, fleet, installation) : 'deleted') !== state)
      return false
    if (name && metadata.name !== name) return false
    if (matchesDns && !spec.dns.some((record) => record.deletedAt === undefined && matchesDns(record.name)))
      return false
    return wantsLocked === undefined || (spec.deletionLocked ?? false) === wantsLocked
  }
}

function statusOf(parts: Parts): object {
  const { fleet } = parts.writer
  const states = fleet.installations().map((installation) => stateOf(parts, fleet, installation))
  const count = (test: (state: string) => boolean): number => states.filter(test).length
  return {
    InstallationsTotal: states.length,
    InstallationsStable: count((state) => state === 'stable'),
    InstallationsHibernating: count((state) => state === 'hibernating'),
    InstallationsPendingDeletion: count((state) => state === 'deletion-pending'),
    InstallationsUpdating: count(
      (state) => state !== 'stable' && state !== 'hibernating' && state !== 'deletion-pending',
    ),
  }
}
