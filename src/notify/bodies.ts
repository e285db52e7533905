/** Bodies of events, in the two shapes of the original (reference: mattermost-cloud §6). */
import type { Receiver, StateEvent } from '../ports/store.ts'

export function bodyOf(receiver: Pick<Receiver, 'kind'>, event: StateEvent): string {
  return receiver.kind === 'webhook' ? webhookBody(event) : subscriptionBody(event)
}

/** Nanoseconds do not fit into a JavaScript number, so the digits are written as text. */
function webhookBody({
  id,
  at,
  resourceId,
  resourceType,
  newState,
  oldState,
  extraData,
}: StateEvent): string {
  const rest = JSON.stringify({
    id: resourceId,
    type: resourceType,
    new_state: newState,
    old_state: oldState,
    extra_data: extraData,
  })
  return `{"event_id":${JSON.stringify(id)},"timestamp":${at}000000,${rest.slice(1)}`
}

function subscriptionBody({
  id,
  at,
  resourceId,
  resourceType,
  newState,
  oldState,
  extraData,
}: StateEvent): string {
  return JSON.stringify({
    eventId: id,
    timestamp: at,
    resourceId,
    resourceType,
    newState,
    oldState,
    ExtraData: extraData,
  })
}
