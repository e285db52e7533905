/** The types of the intents and the published schemas say the same: generated types and written ones, compared by the compiler. */
import { spawnSync } from 'node:child_process'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { compile, type JSONSchema } from 'json-schema-to-typescript'
import { test } from 'tap'
import { SCHEMAS } from '../../src/fleet/schemas.ts'

const ROOT = resolve(import.meta.dirname, '../..')
const TSC = join(ROOT, 'node_modules/.bin/tsc')

/** Names of the written types by kind. */
const TYPES = {
  Fleet: 'FleetSettings',
  Cluster: 'Cluster',
  Group: 'Group',
  SharedDatabase: 'SharedDatabase',
  Installation: 'Installation',
  InstallationRequest: 'InstallationRequest',
  Tombstone: 'Tombstone',
} as const
type Kind = keyof typeof TYPES

/** Brands and `readonly` do not exist in JSON; every key says whether it may be left out, so that a key that one side lacks shows. */
const PLAIN = `
import type { Brand } from ${JSON.stringify(join(ROOT, 'src/fleet/ids.ts'))}
type Text<T extends string> = T extends Brand<string, string> ? string : T
export type Plain<T> = T extends string ? Text<T>
  : T extends number | boolean | null | undefined ? T
  : T extends readonly (infer Item)[] ? { list: Plain<Item> }
  : { [Key in keyof T]-?: { optional: {} extends Pick<T, Key> ? true : false; value: Plain<Exclude<T[Key], undefined>> } }
`

/** Fields of Kubernetes are any JSON; the generator cannot say that as the written type does. */
function withJson(schema: unknown): JSONSchema {
  const copy = structuredClone(schema) as { readonly $defs?: Record<string, object> }
  if (copy.$defs?.json !== undefined) copy.$defs.json = { type: 'object', tsType: 'JsonObject' }
  return copy as JSONSchema
}

function generate(kind: Kind, schema: unknown): Promise<string> {
  return compile(withJson(schema), kind, {
    additionalProperties: true,
    bannerComment: `import type { JsonObject } from ${JSON.stringify(join(ROOT, 'src/fleet/intents.ts'))}`,
    format: false,
    ignoreMinAndMaxItems: true,
    unreachableDefinitions: false,
  })
}

function comparison(kind: Kind): string {
  return `
import type { ${TYPES[kind]} as Written } from ${JSON.stringify(join(ROOT, 'src/fleet/intents.ts'))}
import type { ${kind} as Generated } from './${kind}.ts'
import type { Plain } from './plain.ts'
declare const written: Plain<Written>
declare const generated: Plain<Generated>
export const asGenerated: Plain<Generated> = written
export const asWritten: Plain<Written> = generated
`
}

/** What the compiler says about the schemas against the types; empty: they are the same. */
async function differences(schemas: Readonly<Partial<Record<Kind, unknown>>>): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-types-'))
  try {
    await writeFile(join(folder, 'plain.ts'), PLAIN)
    for (const [kind, schema] of Object.entries(schemas) as [Kind, unknown][]) {
      await writeFile(join(folder, `${kind}.ts`), await generate(kind, schema))
      await writeFile(join(folder, `${kind}.compared.ts`), comparison(kind))
    }
    const configuration = { extends: join(ROOT, 'tsconfig.json'), include: ['*.ts'] }
    await writeFile(
      join(folder, 'tsconfig.json'),
      JSON.stringify({
        ...configuration,
        compilerOptions: { typeRoots: [join(ROOT, 'node_modules/@types')] },
      }),
    )
    await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module' }))
    const { status, stdout, stderr } = spawnSync(TSC, ['--project', folder, '--pretty', 'false'], {
      encoding: 'utf8',
      cwd: folder,
    })
    return status === 0 ? '' : `${stdout}${stderr}`
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
}

test('every type is what its schema says, and the other way round', async (t) => {
  t.equal(await differences(SCHEMAS), '')
})

test('a difference is found: a key more, a key less, a key that need not be there, another value', async (t) => {
  const changed = (
    change: (spec: Record<string, object>, schema: { required: string[] }) => void,
  ): object => {
    const schema = structuredClone(SCHEMAS.Group)
    change(schema.properties.spec.properties, schema.properties.spec)
    return schema
  }
  const cases: readonly (readonly [RegExp, object])[] = [
    [/Property 'colour' is missing/, changed((spec) => Object.assign(spec, { colour: { type: 'string' } }))],
    [/Property 'apiLocked' is missing/, changed((spec) => delete spec.apiLocked)],
    [/Type 'false' is not assignable to type 'true'/, changed((_, spec) => spec.required.push('apiLocked'))],
    [
      /'string' is not assignable to type 'number'/,
      changed((spec) => Object.assign(spec, { maxRolling: { type: 'string' } })),
    ],
  ]
  for (const [expected, Group] of cases) t.match(await differences({ Group }), expected)
})
