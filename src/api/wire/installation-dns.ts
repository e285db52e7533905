/** DNS names of installations. */
import { addDnsName, deleteDnsName, setPrimaryDnsName } from '../../fleet/transactions/installations/dns.ts'
import type { HandlerContext, Parts } from '../context.ts'
import type { Answer, Route } from '../routes.ts'
import { object, text } from '../shapes.ts'
import { schemaOf } from '../views/schemas.ts'
import { changeInstallation, requireFreeInstallation, shown, statesOf } from './change-installation.ts'
import { DNS_NAME } from './create-installation.ts'
import { requireValid } from './need.ts'
import { newId } from './values.ts'

const ADD = object({ DNS: text('Fully qualified DNS name') })
const INSTALLATION = { description: 'The installation', schema: schemaOf('Installation') }

export function dnsRoutes(parts: Parts, replay: NonNullable<Route['replay']>): readonly Route[] {
  const wire = { wire: true, role: 'writer', responses: { 202: INSTALLATION } } as const
  const stateOf = statesOf(parts)
  return [
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/dns',
      operationId: 'addInstallationDns',
      summary: 'Add a DNS name',
      request: ADD,
      replay,
      handler: (context) => add(parts, context),
    },
    {
      ...wire,
      method: 'POST',
      path: '/api/installation/{id}/dns/{dnsId}/set-primary',
      operationId: 'setInstallationPrimaryDns',
      summary: 'Make a DNS name the primary one',
      replay,
      handler: (context) =>
        changeInstallation(
          parts,
          context,
          setPrimaryDnsName({ id: context.id(), stateOf, dnsId: context.id('dnsId') }),
          shown(parts, 202, false),
        ),
    },
    {
      ...wire,
      method: 'DELETE',
      path: '/api/installation/{id}/dns/{dnsId}',
      operationId: 'deleteInstallationDns',
      summary: 'Delete a DNS name',
      handler: (context) =>
        changeInstallation(
          parts,
          context,
          deleteDnsName({ id: context.id(), stateOf, dnsId: context.id('dnsId') }),
          shown(parts, 202, false),
        ),
    },
  ]
}

/** Names are kept in lower case: that of DNS does not count. */
async function add(parts: Parts, context: HandlerContext): Promise<Answer> {
  const name = (context.decode(ADD).DNS ?? '').toLowerCase()
  requireFreeInstallation(parts, context.id())
  requireValid((need) => need(DNS_NAME.test(name), '/DNS', 'must be a fully qualified DNS name'))
  const transaction = addDnsName({
    id: context.id(),
    stateOf: statesOf(parts),
    dnsId: newId(parts.randomness),
    name,
  })
  return await changeInstallation(parts, context, transaction, shown(parts, 202, false))
}
