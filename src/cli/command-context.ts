/** What every command gets, and how it reads its settings. */
import { readFile } from 'node:fs/promises'
import type { Command } from 'commander'
import { readConfiguration } from '../configuration/read.ts'
import {
  type Configuration,
  environmentName,
  SETTINGS,
  type Setting,
  type SettingKey,
} from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Terminal } from './terminal.ts'

export interface CommandContext {
  readonly version: string
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly terminal: Terminal
  readonly clock: Clock
  readonly randomness: Randomness
}

/** 0: fine; 1: found something wrong or different, or failed. Wrong use, 2, is thrown. */
export type ExitCode = 0 | 1

/** Adds itself to the program; `finish` takes the exit code. */
export type AddCommand = (program: Command, context: CommandContext, finish: (code: ExitCode) => void) => void

export type Options = Readonly<Record<string, unknown>>

/** What the flag of a setting was given; undefined: it was not. */
export function flagOf(options: Options, key: string): string | undefined {
  const value = options[key.replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
  return typeof value === 'string' ? value : undefined
}

/** Flags of these settings, and `--config`. Secrets have none: a command line is seen by everybody on the machine. */
export function addSettings(command: Command, keys: readonly SettingKey[]): Command {
  command.option('--config <file>', 'YAML file with settings (FLEETWRIGHT_CONFIG)')
  for (const { key, placeholder, default: fallback, secret, description } of settings(keys)) {
    const standard = fallback === undefined ? '' : `, default ${fallback}`
    if (secret !== true)
      command.option(`--${key} ${placeholder}`, `${description} (${environmentName(key)}${standard})`)
  }
  return command
}

/** @throws FleetError `invalid-configuration` */
export async function readSettings(
  { environment }: CommandContext,
  options: Options,
): Promise<Configuration> {
  const flags = Object.fromEntries(
    settings(SETTINGS.map(({ key }) => key)).flatMap(({ key }) => {
      const value = flagOf(options, key)
      return value === undefined ? [] : [[key, value]]
    }),
  )
  const path = typeof options.config === 'string' ? options.config : environment.FLEETWRIGHT_CONFIG
  if (path === undefined) return readConfiguration({ flags, environment })
  return readConfiguration({ flags, environment, file: { path, text: await readText(path) } })
}

/** A file that the user names. @throws FleetError `invalid-configuration` when it cannot be read */
export async function readText(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (cause) {
    const why = cause instanceof Error && 'code' in cause ? String(cause.code) : String(cause)
    const said =
      why === 'ENOENT'
        ? 'there is no such file'
        : why === 'EISDIR'
          ? 'this is a folder'
          : `it cannot be read (${why})`
    throw new FleetError('invalid-configuration', `${path}: ${said}; name a file.`, {}, { cause })
  }
}

function settings(keys: readonly SettingKey[]): readonly Setting[] {
  return SETTINGS.filter(({ key }) => keys.includes(key))
}
