/** Names that exist once in the fleet. */
import { type ErrorDetail, FleetError } from '../errors.ts'
import type { Fleet } from '../fleet.ts'
import type { Installation } from '../intents.ts'
import { repeated } from './identity.ts'

/** @throws FleetError `dns-taken`, `name-taken` */
export function requireFreeNames(fleet: Fleet, installation: Installation): void {
  const [taken] = takenNames(fleet, installation)
  if (taken === undefined) return
  throw new FleetError(taken.code, taken.detail, {
    errors: [{ pointer: taken.pointer, detail: taken.detail }],
  })
}

export interface TakenName extends ErrorDetail {
  readonly code: 'dns-taken' | 'name-taken'
}

/** Names compare without regard to case; a DNS name that was deleted is free again. */
export function takenNames(fleet: Fleet, { metadata, spec }: Installation): readonly TakenName[] {
  const taken: TakenName[] = []
  const live = spec.dns.flatMap((dns, at) => (dns.deletedAt === undefined ? [{ name: dns.name, at }] : []))
  for (const again of repeated(live.map(({ name }) => name.toLowerCase()))) {
    const dns = live[again]
    if (dns === undefined) continue
    const detail = `the DNS name ${dns.name} is given twice; keep one of them`
    taken.push({ code: 'dns-taken', pointer: `/spec/dns/${dns.at}`, detail })
  }
  for (const { name, at } of live) {
    const other = fleet.installationByDns(name)
    if (other === undefined || other.metadata.id === metadata.id) continue
    const detail = `the DNS name ${name} is in use by installation ${other.metadata.name} (${other.metadata.id}); choose another one`
    taken.push({ code: 'dns-taken', pointer: `/spec/dns/${at}`, detail })
  }
  const other = fleet.installationByName(metadata.name)
  if (other !== undefined && other.metadata.id !== metadata.id) {
    const detail = `the name ${metadata.name} is in use by installation ${other.metadata.id}; choose another one`
    taken.push({ code: 'name-taken', pointer: '/metadata/name', detail })
  }
  return taken
}
