/** `node scripts/fleet-generator/main.ts <directory> [--installations 5000] [--clusters 20] [--seed 1] [--engine argocd]` */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { Command, Option } from 'commander'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { EngineName, FleetSettings } from '../../src/fleet/intents.ts'
import { FLEET_PATH } from '../../src/fleet/paths.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../src/system/template-files.ts'
import { generateFleet } from './generate.ts'
import { writeFleetRepository } from './repository.ts'

const EXAMPLE_FLEET = join(import.meta.dirname, '../../examples/fleet.yaml')
/** Commits of the generator all have this time, so that the same seed makes the same commit. */
const COMMIT_SECONDS = Date.UTC(2026, 10, 1) / 1000

export interface WriteOptions {
  readonly installations: number
  readonly clusters: number
  readonly seed: number
  readonly engine?: EngineName
}

/** Makes a bare fleet repository. @returns what the table says about it */
export async function writeGeneratedFleet(
  directory: string,
  options: WriteOptions,
): Promise<{ readonly files: number; readonly seconds: number; readonly main: string }> {
  const started = performance.now()
  const fleet = generateFleet(await exampleSettings(), options)
  const sets = await readTemplateSets(TEMPLATE_FOLDER)
  const { files, main } = await writeFleetRepository(directory, fleet, sets, COMMIT_SECONDS)
  return { files, main, seconds: (performance.now() - started) / 1000 }
}

export async function exampleSettings(): Promise<FleetSettings> {
  const { intent } = createDocuments().parse(FLEET_PATH, await readFile(EXAMPLE_FLEET, 'utf8'))
  if (intent?.kind !== 'Fleet') throw new TypeError('examples/fleet.yaml is not valid')
  return intent
}

if (import.meta.main) {
  const program = new Command('fleet-generator')
    .description('Writes a bare fleet repository of any size, the same for the same seed')
    .argument('<directory>', 'bare repository that is not there yet')
    .option('--installations <number>', 'how many installations', '5000')
    .option('--clusters <number>', 'on how many clusters', '20')
    .option('--seed <number>', 'another seed makes another fleet', '1')
    .addOption(new Option('--engine <name>', 'delivery engine').choices(['argocd', 'flux']).default('argocd'))
    .parse()
  const [directory = ''] = program.args
  const { installations, clusters, seed, engine } = program.opts<
    Record<'installations' | 'clusters' | 'seed', string> & { engine: EngineName }
  >()
  const { files, main, seconds } = await writeGeneratedFleet(directory, {
    installations: Number(installations),
    clusters: Number(clusters),
    seed: Number(seed),
    engine,
  })
  process.stdout.write(`${files} files, main ${main}, ${seconds.toFixed(1)} s\n`)
}
