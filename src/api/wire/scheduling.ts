/** Where pods may run: node selector and tolerations, by the rules of Kubernetes. */
import type { GroupConfiguration, JsonObject } from '../../fleet/intents.ts'
import { anyObject, type Decoded, escapePointer, list, map, object, text } from '../shapes.ts'
import type { Need } from './need.ts'

export const SCHEDULING = object({ NodeSelector: map(text()), Tolerations: list(anyObject()) })
type Scheduling = Decoded<typeof SCHEDULING>

const FIELDS = ['key', 'operator', 'value', 'effect', 'tolerationSeconds'] as const
const OPERATORS = ['Exists', 'Equal'] as const
const EFFECTS = ['NoSchedule', 'PreferNoSchedule', 'NoExecute'] as const
const LABEL_KEY =
  /^(?:[a-z0-9](?:[a-z0-9.-]{0,251}[a-z0-9])?\/)?[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?$/
const LABEL_VALUE = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?$/

/** Undefined: not given; null: an empty object, which clears. */
export function schedulingOf(given: Scheduling | undefined): GroupConfiguration['scheduling'] | null {
  if (given === undefined) return undefined
  const { NodeSelector: nodeSelector, Tolerations: tolerations } = given
  if (nodeSelector === undefined && tolerations === undefined) return null
  return {
    ...(nodeSelector === undefined ? {} : { nodeSelector }),
    ...(tolerations === undefined ? {} : { tolerations }),
  }
}

export function checkScheduling(given: Scheduling | undefined, need: Need): void {
  for (const [key, value] of Object.entries(given?.NodeSelector ?? {})) {
    const pointer = `/Scheduling/NodeSelector/${escapePointer(key)}`
    need(LABEL_KEY.test(key), pointer, 'must be a label of Kubernetes')
    need(LABEL_VALUE.test(value), pointer, 'must have a value that labels of Kubernetes may have')
  }
  for (const [at, toleration] of (given?.Tolerations ?? []).entries())
    checkToleration(toleration, `/Scheduling/Tolerations/${at}`, need)
}

function checkToleration(toleration: JsonObject, pointer: string, need: Need): void {
  for (const field of Object.keys(toleration))
    need(
      oneOf(FIELDS, field),
      `${pointer}/${escapePointer(field)}`,
      `is not known; known here: ${FIELDS.join(', ')}`,
    )
  const { key = '', operator = 'Equal', value = '', effect = '', tolerationSeconds } = toleration
  need(
    key === '' || (typeof key === 'string' && LABEL_KEY.test(key)),
    `${pointer}/key`,
    'must be the key of a taint',
  )
  need(oneOf(OPERATORS, operator), `${pointer}/operator`, `must be ${OPERATORS.join(' or ')}`)
  need(key !== '' || operator === 'Exists', `${pointer}/key`, 'must be given unless operator is Exists')
  need(
    typeof value === 'string' && LABEL_VALUE.test(value) && (value === '' || operator !== 'Exists'),
    `${pointer}/value`,
    'must be the value of a taint, and absent with Exists',
  )
  need(effect === '' || oneOf(EFFECTS, effect), `${pointer}/effect`, `must be ${EFFECTS.join(' or ')}`)
  need(
    tolerationSeconds === undefined || (Number.isSafeInteger(tolerationSeconds) && effect === 'NoExecute'),
    `${pointer}/tolerationSeconds`,
    'must be a whole number, and only with effect NoExecute',
  )
}

function oneOf(known: readonly string[], value: unknown): boolean {
  return known.some((entry) => entry === value)
}
