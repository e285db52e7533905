import type { Id } from '../../fleet/ids.ts'
import type { Installation } from '../../fleet/intents.ts'
import type { Transaction } from '../../fleet/transaction.ts'
import { requireInstallation, type StateOf } from '../../fleet/transactions/installations/common.ts'
import type { HandlerContext, NewSecret, Parts } from '../context.ts'
import { requireFree } from '../leases.ts'
import { type Answer, json } from '../routes.ts'
import { installationView, stateOf } from '../views/installation.ts'

/** Commits a change of the installation of the path, unless there is none or somebody works on it. */
export async function changeInstallation(
  parts: Parts,
  context: HandlerContext,
  transaction: Transaction<Installation>,
  answer: (installation: Installation) => Answer,
  secrets: readonly NewSecret[] = [],
): Promise<Answer> {
  requireFreeInstallation(parts, context.id())
  return await context.submit({ transaction, answer, secrets })
}

/** @throws FleetError `not-found`, `lease-held` */
export function requireFreeInstallation({ writer, leases }: Parts, id: Id): void {
  requireInstallation(writer.fleet, id)
  requireFree(leases, 'installation', id)
}

/** An answer with the installation: its own configuration, or with its group's over it. */
export function shown(
  parts: Parts,
  status: number,
  withGroup: boolean,
): (installation: Installation) => Answer {
  return (installation) =>
    json(status, installationView(parts, parts.writer.fleet, installation, { withGroup }))
}

export function statesOf(parts: Parts): StateOf {
  return (fleet, installation) => stateOf(parts, fleet, installation)
}
