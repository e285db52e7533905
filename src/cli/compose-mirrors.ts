/** The mirrors of the fleet repository. */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Configuration } from '../configuration/settings.ts'
import { FleetError } from '../fleet/errors.ts'
import type { Problem } from '../fleet/files.ts'
import { readRepositoryAddress } from '../fleet/repository-address.ts'
import type { NativeAccess } from '../git/contracts.ts'
import { createGitMirror } from '../git/mirror.ts'
import type { Clock, Randomness } from '../ports/clock.ts'
import type { Mirror } from '../ports/mirror.ts'
import type { FleetWriter } from '../ports/writer.ts'
import { type Mirroring, startMirroring } from '../reconcile/mirroring.ts'
import { fleetTransport, pathAccess } from './fleet-transport.ts'

export interface MirrorsOptions {
  readonly targets: readonly MirrorTarget[]
  /** Bare repository that has what is mirrored. */
  readonly directory: string
  readonly writer: Pick<FleetWriter, 'onChange'>
  readonly registry: Registry
  readonly clock: Clock
  readonly randomness: Randomness
  readonly onError: (error: unknown) => void
}

export interface RunningMirrors {
  problems(): readonly Problem[]
  close(): Promise<void>
}

export interface MirrorTarget {
  readonly access: NativeAccess
  close(): Promise<void>
}

/** Reads the settings; nothing is talked to. @throws FleetError `invalid-configuration` */
export function mirrorTargets(configuration: Configuration): readonly MirrorTarget[] {
  const targets = configuration['fleet-mirror']?.split(',') ?? []
  return targets.map((target) => targetOf(target, configuration))
}

export function startMirrors(options: MirrorsOptions): RunningMirrors {
  const { targets, directory } = options
  if (targets.length === 0) return { problems: () => [], close: async () => undefined }
  const mirrors = targets.map(({ access, close }) => createGitMirror({ directory, access, close }))
  const running = start(mirrors, options)
  return {
    problems: () => running.flatMap((mirroring) => mirroring.problems()),
    async close() {
      await Promise.all(running.map((mirroring) => mirroring.close()))
    },
  }
}

function start(mirrors: readonly Mirror[], options: MirrorsOptions): readonly Mirroring[] {
  const registers = [options.registry]
  const pushes = new Counter({
    name: 'fleetwright_mirror_pushes_total',
    help: 'Pushes to mirrors of the fleet repository, by result',
    labelNames: ['mirror', 'result'],
    registers,
  })
  const running = mirrors.map((mirror) => {
    for (const result of ['accepted', 'failed']) pushes.inc({ mirror: mirror.name, result }, 0)
    return startMirroring({
      ...options,
      mirror,
      onPushed: (result) => pushes.inc({ mirror: mirror.name, result }),
    })
  })
  new Gauge({
    name: 'fleetwright_mirror_behind_seconds',
    help: 'Time since the oldest change that a mirror may not have; 0: it has everything',
    labelNames: ['mirror'],
    registers,
    collect() {
      for (const [at, mirror] of mirrors.entries())
        this.set({ mirror: mirror.name }, (running[at]?.behind() ?? 0) / 1000)
    },
  })
  return running
}

/** Logs in with `<host>.token` or `<host>.key` of the folder for mirrors, and never with what the fleet itself has. */
function targetOf(target: string, configuration: Configuration): MirrorTarget {
  if (target === configuration.fleet)
    throw new FleetError('invalid-configuration', `fleet-mirror: ${target} is the fleet repository itself.`)
  const { data, 'fleet-mirror-credentials': folder = join(data, 'mirror-credentials') } = configuration
  const tokenFile = join(folder, `${hostOf(target)}.token`)
  const transport = fleetTransport(target, {
    'fleet-user': configuration['fleet-user'],
    'fleet-token': undefined,
    'fleet-token-file': existsSync(tokenFile) ? tokenFile : undefined,
    'fleet-ssh-key-file': join(folder, `${hostOf(target)}.key`),
    'fleet-known-hosts-file': configuration['fleet-known-hosts-file'],
  })
  if (transport !== undefined) return { access: transport.native, close: () => transport.close() }
  return { access: pathAccess(target), close: async () => undefined }
}

/** Without the port. */
function hostOf(target: string): string {
  const reading = readRepositoryAddress(target)
  if (!('address' in reading) || reading.address.kind === 'path') return ''
  return reading.address.kind === 'ssh' ? reading.address.host : new URL(reading.address.url).hostname
}
