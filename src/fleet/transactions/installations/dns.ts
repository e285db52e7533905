/** DNS names of an installation: add, make primary, delete. The primary one names the installation. */
import { FleetError } from '../../errors.ts'
import type { Fleet } from '../../fleet.ts'
import type { Id } from '../../ids.ts'
import type { DnsName, Installation } from '../../intents.ts'
import { requireFreeNames } from '../../rules/names.ts'
import type { Transaction, TransactionResult } from '../../transaction.ts'
import { changeLine } from '../text.ts'
import {
  changeOf,
  requireInstallation,
  requireState,
  requireUnlocked,
  type StateOf,
  timestamp,
  trailersOf,
  withOperation,
} from './common.ts'

interface DnsRequest {
  readonly id: Id
  readonly stateOf: StateOf
  readonly dnsId: Id
}

/** @param input.name lower case. @throws FleetError (in the transaction) `dns-taken` */
export function addDnsName(input: DnsRequest & { readonly name: string }): Transaction<Installation> {
  return (fleet, context) => {
    const before = prepared(fleet, input)
    if (before.spec.dns.some(({ name, deletedAt }) => deletedAt === undefined && name === input.name))
      throw new FleetError(
        'dns-taken',
        `Installation ${before.metadata.name} has the DNS name ${input.name} already.`,
        { errors: [{ pointer: '/DNS', detail: 'must be a name that is not in use' }] },
      )
    const added = { id: input.dnsId, name: input.name, createdAt: timestamp(context.now) }
    return changed(fleet, before, [...before.spec.dns, added], before.metadata.name, context.now)
  }
}

/** The installation takes the first label as its name. */
export function setPrimaryDnsName(input: DnsRequest): Transaction<Installation> {
  return (fleet, context) => {
    const before = prepared(fleet, input)
    const chosen = requireDnsName(before, input.dnsId)
    if (chosen.primary === true)
      throw new FleetError('invalid-state', `${chosen.name} is the primary DNS name already.`)
    const dns = before.spec.dns.map(({ primary: _, ...name }) =>
      name.id === chosen.id ? { ...name, primary: true } : name,
    )
    return changed(fleet, before, dns, chosen.name.split('.')[0]?.toLowerCase() ?? '', context.now)
  }
}

export function deleteDnsName(input: DnsRequest): Transaction<Installation> {
  return (fleet, context) => {
    const before = prepared(fleet, input)
    const chosen = requireDnsName(before, input.dnsId)
    if (chosen.primary === true)
      throw new FleetError(
        'invalid-state',
        `${chosen.name} is the primary DNS name; make another one primary first.`,
      )
    const deletedAt = timestamp(context.now)
    const dns = before.spec.dns.map((name) => (name.id === chosen.id ? { ...name, deletedAt } : name))
    return changed(fleet, before, dns, before.metadata.name, context.now)
  }
}

function prepared(fleet: Fleet, { id, stateOf }: DnsRequest): Installation {
  const before = requireInstallation(fleet, id)
  requireUnlocked(before)
  requireState(fleet, before, 'update', stateOf)
  return before
}

/** @throws FleetError `not-found` for one of another installation, `invalid-state` for a deleted one */
function requireDnsName({ metadata, spec }: Installation, dnsId: Id): DnsName {
  const found = spec.dns.find(({ id }) => id === dnsId)
  if (found === undefined)
    throw new FleetError('not-found', `Installation ${metadata.name} has no DNS name ${dnsId}.`)
  if (found.deletedAt !== undefined)
    throw new FleetError('invalid-state', `The DNS name ${found.name} was deleted at ${found.deletedAt}.`)
  return found
}

function changed(
  fleet: Fleet,
  before: Installation,
  dns: readonly DnsName[],
  name: string,
  now: number,
): TransactionResult<Installation> {
  const renamed = { ...before, metadata: { ...before.metadata, name } }
  const after = withOperation(renamed, 'update', timestamp(now), { dns })
  requireFreeNames(fleet, after)
  const body = [
    changeLine('Name', before.metadata.name, name),
    changeLine('DNS names', shown(before.spec.dns), shown(dns)),
  ].filter((line) => line !== undefined)
  return {
    changes: changeOf(fleet, after),
    text: {
      subject: `Change the DNS names of installation ${before.metadata.name}`,
      body: body.join('\n'),
      trailers: trailersOf(fleet, before),
    },
    value: after,
  }
}

function shown(dns: readonly DnsName[]): readonly string[] {
  return dns
    .filter(({ deletedAt }) => deletedAt === undefined)
    .map(({ name, primary }) => (primary === true ? `${name} (primary)` : name))
}
