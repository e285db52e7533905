/** What several wire routes read in the same way. */
import { FleetError } from '../../fleet/errors.ts'
import { type Id, idFromBytes } from '../../fleet/ids.ts'
import type { Env, EnvValue, FleetSettings } from '../../fleet/intents.ts'
import { isSecretEnvName } from '../../fleet/secret-names.ts'
import type { EnvPatch } from '../../fleet/transactions/installations/update.ts'
import type { Randomness } from '../../ports/clock.ts'
import type { NewSecret } from '../context.ts'
import { anyObject, type Decoded, map, object, text } from '../shapes.ts'

export const ENV_SHAPE = map(object({ value: text(), valueFrom: anyObject() }), 'Variables by name')
export type WireEnv = Decoded<typeof ENV_SHAPE>

export function newId(randomness: Randomness): Id {
  return idFromBytes(randomness.bytes(26))
}

/** Collects values that go to the secret backend before the commit. */
export class SecretCollector {
  readonly secrets: NewSecret[] = []
  readonly #settings: FleetSettings
  readonly #randomness: Randomness
  readonly #folder: string

  /** @param folder of the keys, for example `installations/<id>` */
  constructor(settings: FleetSettings, randomness: Randomness, folder: string) {
    this.#settings = settings
    this.#randomness = randomness
    this.#folder = folder
  }

  /** A reference to a value; every value gets a key of its own. */
  keep(what: string, value: string): { readonly key: string } {
    const key = `${this.#folder}/${what.toLowerCase().replaceAll(/[^a-z0-9-]+/g, '-')}-${newId(this.#randomness).slice(0, 12)}`
    this.secrets.push({ key, value })
    return { key }
  }

  /** Values whose names say that they are secret are kept; the others stay as they are. @param field of the body */
  env(field: string, env: WireEnv | undefined): Env | undefined {
    if (env === undefined) return undefined
    const entries = Object.entries(env).flatMap(([name, value]) => {
      const intent = this.#value(name, value)
      if (intent !== undefined) return [[name, intent] as const]
      const detail = 'must have a value or valueFrom'
      throw new FleetError('invalid-request', `The variable ${name} ${detail}.`, {
        errors: [{ pointer: `/${field}/${name}`, detail }],
      })
    })
    return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** As the original patches: no map leaves, an empty one clears, a blank value removes. */
  envPatch(env: WireEnv | undefined): EnvPatch | undefined {
    if (env === undefined) return undefined
    if (Object.keys(env).length === 0) return 'clear'
    return Object.fromEntries(
      Object.entries(env).map(([name, value]) => [name, this.#value(name, value) ?? null]),
    )
  }

  #value(name: string, value: WireEnv[string]): EnvValue | undefined {
    if (value.valueFrom !== undefined) return { valueFrom: value.valueFrom }
    if (value.value === undefined || value.value === '') return undefined
    if (isSecretEnvName(name, this.#settings.spec.secretEnvNames ?? []))
      return { secret: this.keep(`env-${name}`, value.value) }
    return { value: value.value }
  }
}
