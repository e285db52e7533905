/** Observations and leases in memory: gone with the process, built again by observing. */
import type { Id } from '../fleet/ids.ts'
import type { Clock } from '../ports/clock.ts'
import type { Lease, Leases, Observation, Observations, ObservedKind } from '../ports/observations.ts'

export function createMemoryObservations(): Observations {
  const observations = new Map<string, Observation>()
  const listeners = new Set<(kind: ObservedKind, id: Id) => void>()
  function tell(kind: ObservedKind, id: Id): void {
    for (const listener of listeners) listener(kind, id)
  }
  return {
    get: (kind, id) => observations.get(keyOf(kind, id)),
    set(kind, id, observation) {
      observations.set(keyOf(kind, id), observation)
      tell(kind, id)
    },
    remove(kind, id) {
      if (observations.delete(keyOf(kind, id))) tell(kind, id)
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
  }
}

export function createMemoryLeases(clock: Clock): Leases {
  const leases = new Map<string, Lease>()
  return {
    get: (kind, id, purpose) => leases.get(keyOf(kind, id, purpose)),
    acquire(kind, id, holder, purpose) {
      const key = keyOf(kind, id, purpose)
      const present = leases.get(key)
      if (present) return present.holder === holder
      leases.set(key, { holder, acquiredAt: clock.now() })
      return true
    },
    release(kind, id, holder, purpose) {
      const key = keyOf(kind, id, purpose)
      if (leases.get(key)?.holder === holder) leases.delete(key)
    },
  }
}

function keyOf(kind: ObservedKind, id: Id, purpose = 'operation'): string {
  return `${kind}/${id}/${purpose}`
}
