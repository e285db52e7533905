/** The command line. Exit codes: 0 fine, 1 found something or failed, 2 wrong use. */
import { readFile } from 'node:fs/promises'
import { Command, CommanderError } from 'commander'
import { readConfiguration } from '../configuration/read.ts'
import { type Configuration, environmentName, SETTINGS, type Setting } from '../configuration/settings.ts'
import { isFleetError } from '../fleet/errors.ts'
import { render } from './render.ts'
import { serve } from './serve.ts'
import { validate } from './validate.ts'

export async function run(argv: readonly string[], version: string): Promise<number> {
  let code = 0
  const program = new Command('fleetwright')
    .description('GitOps control plane for single-tenant SaaS')
    .version(version)
    .exitOverride()
  const command = program
    .command('serve')
    .description('Run the server')
    .option('--config <file>', 'YAML file with settings')
    .option('--demo', 'play the example requests when the data directory is empty')
  for (const { key, placeholder, default: fallback, secret, description } of SETTINGS as readonly Setting[]) {
    if (secret !== true)
      command.option(
        `--${key} ${placeholder}`,
        `${description} (${environmentName(key)}${fallback === undefined ? '' : `, default ${fallback}`})`,
      )
  }
  command.action(async (options: Readonly<Record<string, unknown>>) => {
    await serve({ configuration: await configurationOf(options), version, demo: options.demo === true })
  })
  program
    .command('validate')
    .description('Check every document of a checkout')
    .argument('[dir]', 'folder of the fleet repository', '.')
    .option('--json', 'as JSON')
    .action(async (folder: string, options: { json?: boolean }) => {
      code = await validate(folder, options.json === true)
    })
  program
    .command('render')
    .description('Write the manifests of a checkout')
    .argument('[dir]', 'folder of the fleet repository', '.')
    .option('--check', 'write nothing; say what differs')
    .option('--json', 'as JSON')
    .action(async (folder: string, options: { check?: boolean; json?: boolean }) => {
      code = await render({ folder, check: options.check === true, json: options.json === true })
    })
  try {
    await program.parseAsync([...argv], { from: 'user' })
    return code
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    if (!isFleetError(error)) throw error
    process.stderr.write(`${error.message}\n`)
    return error.code === 'invalid-configuration' ? 2 : 1
  }
}

async function configurationOf(options: Readonly<Record<string, unknown>>): Promise<Configuration> {
  const flags = Object.fromEntries(
    SETTINGS.flatMap(({ key }) => {
      const value = options[key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
      return typeof value === 'string' ? [[key, value]] : []
    }),
  )
  const path = typeof options.config === 'string' ? options.config : process.env.FLEETWRIGHT_CONFIG
  const file = path === undefined ? undefined : { path, text: await readFile(path, 'utf8') }
  return readConfiguration({ flags, environment: process.env, ...(file === undefined ? {} : { file }) })
}
