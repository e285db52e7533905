/** The log of state changes. */
import type { Id } from '../../fleet/ids.ts'
import type { StateEvent } from '../../ports/store.ts'
import type { HandlerContext, Parts } from '../context.ts'
import { PAGING_QUERY, readPaging } from '../query.ts'
import { type Answer, json, type Route } from '../routes.ts'

export function eventRoutes(parts: Pick<Parts, 'store' | 'settled'>): readonly Route[] {
  return [
    {
      method: 'GET',
      path: '/api/events/state_change',
      operationId: 'listStateChangeEvents',
      summary: 'List state changes, newest first',
      role: 'reader',
      wire: true,
      query: {
        ...PAGING_QUERY,
        resource_type: {
          description: 'installation, cluster or cluster_installation',
          schema: { type: 'string' },
        },
        resource_id: { description: 'Only those of this object', schema: { type: 'string' } },
      },
      responses: { 200: { description: 'A page', schema: { type: 'array', items: { type: 'object' } } } },
      handler: (context) => listEvents(parts, context),
    },
  ]
}

async function listEvents(
  { store, settled }: Pick<Parts, 'store' | 'settled'>,
  { query }: HandlerContext,
): Promise<Answer> {
  const { page, perPage = -1 } = readPaging(query)
  const type = query.get('resource_type') ?? ''
  const id = query.get('resource_id') ?? ''
  // What an answered request caused is in the list that is asked for next.
  await settled()
  const events = await store.events({
    page,
    perPage,
    ...(type === '' ? {} : { resourceType: type }),
    // Compared only; what is no id finds nothing.
    ...(id === '' ? {} : { resourceId: id as Id }),
  })
  return json(200, events.map(eventView))
}

/** The original has two rows for each; their ids are one here. */
function eventView({ id, at, resourceType, resourceId, oldState, newState, extraData }: StateEvent): object {
  return {
    Event: { ID: id, EventType: 'resourceStateChange', Timestamp: at, ExtraData: { fields: extraData } },
    StateChange: {
      ID: id,
      EventID: id,
      OldState: oldState,
      NewState: newState,
      ResourceID: resourceId,
      ResourceType: resourceType,
    },
  }
}
