/** What a secret with the access to a cluster must hold. */
import type { JsonObject, JsonValue } from './intents.ts'
import { parseYaml } from './yaml/parse.ts'

/** Whether a text is a kubeconfig whose current context, cluster and user are all in it. */
export function isKubeconfig(text: string): boolean {
  const { value } = parseYaml('kubeconfig', text)
  if (!isObject(value)) return false
  const context = named(value.contexts, value['current-context'])?.context
  if (!isObject(context)) return false
  return (
    named(value.clusters, context.cluster) !== undefined && named(value.users, context.user) !== undefined
  )
}

function named(list: JsonValue | undefined, name: JsonValue | undefined): JsonObject | undefined {
  if (!Array.isArray(list) || typeof name !== 'string') return undefined
  return list.find((entry): entry is JsonObject => isObject(entry) && entry.name === name)
}

function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
