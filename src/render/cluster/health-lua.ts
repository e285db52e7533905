/**
 * The health rules of src/fleet/observed for Argo CD: Lua, in the same order. A table of cases holds both together. Argo CD offers the
 * scripts no string library, and stops them after a second.
 */
import { BEGINNING, FAILING, PAUSED, WORKING } from '../../fleet/observed/crossplane.ts'
import type { HealthRule } from '../../fleet/observed/kinds.ts'

const COMMON = `local function health(status, message)
  return {status = status, message = message or ""}
end
local metadata = obj.metadata or {}
local spec = obj.spec or {}
local status = obj.status or {}
if metadata.deletionTimestamp ~= nil then
  return health("Progressing", "Being deleted")
end
`

const CONDITIONS = `local function condition(wanted)
  for _, one in ipairs(status.conditions or {}) do
    if one.type == wanted then
      return one
    end
  end
  return nil
end
`

const MATTERMOST = `if status.state == nil then
  return health("Progressing", "Waiting for the Mattermost operator")
end
if status.observedGeneration ~= metadata.generation then
  return health("Progressing", "The Mattermost operator has not processed the present spec")
end
if status.error ~= nil and status.error ~= "" then
  return health("Degraded", status.error)
end
if status.state == "stable" then
  if spec.replicas == 0 then
    return health("Suspended", "Hibernated (0 replicas)")
  end
  return health("Healthy", "Stable")
end
if status.state == "ready" then
  return health("Progressing", "Serves, the rollout is not complete")
end
return health("Progressing", "The Mattermost operator is at work")
`

const MANAGED_RESOURCE = `if status.conditions == nil or #status.conditions == 0 then
  return health("Progressing", "Waiting for the provider")
end
local synced = condition("Synced")
local policies = spec.managementPolicies
if (metadata.annotations or {})["${PAUSED}"] == "true"
  or (policies ~= nil and next(policies) == nil)
  or (synced ~= nil and synced.reason == "ReconcilePaused") then
  return health("Suspended", "Reconciliation is paused")
end
if synced ~= nil and synced.status == "False" then
  return health("Degraded", synced.message)
end
local last = condition("LastAsyncOperation")
if last ~= nil and last.status == "False" then
  return health("Degraded", last.message)
end
local ready = condition("Ready")
if ready == nil or ready.status ~= "True" or synced == nil or synced.status ~= "True" then
  return health("Progressing", ready ~= nil and (ready.message or ready.reason) or "Not ready yet")
end
if synced.observedGeneration ~= nil and synced.observedGeneration ~= metadata.generation then
  return health("Progressing", "The provider has not processed the present spec")
end
local working = ${setOf(WORKING)}
local beginning = ${setOf(BEGINNING)}
local provider = status.atProvider or {}
local said = provider.status or provider.dbInstanceStatus
if said == nil or working[said] then
  return health("Healthy", said or "Available")
end
if beginning[said] then
  return health("Progressing", "AWS says that it is " .. said)
end
return health("Degraded", "AWS says that it is " .. said)
`

const READY = `if status.observedGeneration ~= nil and status.observedGeneration ~= metadata.generation then
  return health("Progressing", "The controller has not processed the present spec")
end
local ready = condition("Ready")
if ready == nil then
  return health("Progressing", "Waiting for the controller")
end
if ready.status == "True" then
  return health("Healthy", ready.message or ready.reason)
end
local failing = ${setOf(FAILING)}
if failing[ready.reason] then
  return health("Degraded", ready.message or ready.reason)
end
return health("Progressing", ready.message or ready.reason)
`

export const HEALTH_LUA: Readonly<Record<HealthRule, string>> = {
  mattermost: COMMON + MATTERMOST,
  'managed-resource': COMMON + CONDITIONS + MANAGED_RESOURCE,
  ready: COMMON + CONDITIONS + READY,
}

function setOf(words: readonly string[]): string {
  return `{${words.map((word) => `["${word}"] = true`).join(', ')}}`
}
