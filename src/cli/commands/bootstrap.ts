/** `fleetwright bootstrap [dir]`: what a person applies once on the control cluster; all else follows from git. */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type Command, Option } from 'commander'
import { createDocuments } from '../../fleet/documents.ts'
import { FleetError } from '../../fleet/errors.ts'
import type { EngineName, FleetSettings } from '../../fleet/intents.ts'
import { FLEET_PATH } from '../../fleet/paths.ts'
import { bootstrapManifests } from '../../render/cluster/bootstrap.ts'
import { healthChecks } from '../../render/cluster/health-checks.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../system/template-files.ts'
import { problemLines } from '../checkout.ts'
import type { CommandContext, ExitCode } from '../command-context.ts'

interface BootstrapOptions {
  readonly engine?: EngineName
  readonly healthChecks?: boolean
}

export function addBootstrap(
  program: Command,
  { terminal }: CommandContext,
  finish: (code: ExitCode) => void,
): void {
  program
    .command('bootstrap')
    .description('print what a person applies once on the control cluster; all else follows from git')
    .argument('[dir]', 'folder of the fleet repository', '.')
    .addOption(new Option('--engine <engine>', "another engine than the fleet's").choices(['argocd', 'flux']))
    .option(
      '--health-checks',
      'instead, how the engine judges installations: part of argocd-cm, or a patch for Flux',
    )
    .addHelpText(
      'after',
      '\nFor example: fleetwright bootstrap fleet | kubectl --context control apply --filename -',
    )
    .action(async (folder: string, { engine, healthChecks: checks }: BootstrapOptions) => {
      const settings = await readSettingsDocument(folder)
      if (checks === true) terminal.write(healthChecks(engine ?? settings.spec.engine))
      else terminal.write(bootstrapManifests(await readTemplateSets(TEMPLATE_FOLDER), settings, engine))
      finish(0)
    })
}

/** @throws FleetError `invalid-configuration` without a fleet.yaml, `invalid-document` when it is not valid */
async function readSettingsDocument(folder: string): Promise<FleetSettings> {
  const text = await readFile(join(folder, FLEET_PATH), 'utf8').catch((cause: unknown) => {
    if (!(cause instanceof Error && 'code' in cause)) throw cause
    const detail = `${join(folder, FLEET_PATH)} cannot be read (${String(cause.code)}); name the folder of a fleet repository.`
    throw new FleetError('invalid-configuration', detail, {}, { cause })
  })
  const { intent, problems } = createDocuments().parse(FLEET_PATH, text)
  if (intent?.kind === 'Fleet') return intent
  throw new FleetError('invalid-document', problemLines(problems).join('\n'))
}
