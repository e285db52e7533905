/** Looks at what Fleetwright may do on the forge, and says clearly what is missing. */
import { isFleetError } from '../../fleet/errors.ts'
import type { Problem } from '../../fleet/files.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Forge, ForgeAccess, ForgeKind } from '../../ports/forge.ts'
import type { HomeContact } from '../../ports/writer.ts'
import { startLoop } from '../loop.ts'
import { type ForgeContact, isAway } from './forge-contact.ts'

const BEAT_MILLISECONDS = 5_000
/** Rights change seldom; a look costs some requests. */
const INTERVAL_MILLISECONDS = 60 * 60_000
/** While something is wrong: somebody may be putting it right. */
const INTERVAL_MISSING = 5 * 60_000

export type MainWrites = 'direct' | 'pull-requests'

export interface AccessCheckOptions {
  readonly forge: Pick<Forge, 'access' | 'url' | 'kind'>
  /** How Fleetwright writes to main. */
  readonly writes: MainWrites
  readonly contact: Pick<ForgeContact, 'look' | 'mayLook' | 'tokenChanged'>
  /** What it is logged in to with, where that is a token. @throws FleetError when there is none */
  readonly token?: () => Promise<string>
  /** With trouble, and after it, the repository may be another one. */
  readonly home: () => Pick<HomeContact, 'trouble' | 'troubles'>
  readonly clock: Clock
  readonly logger: { info(data: object, text: string): void; warn(data: object, text: string): void }
  readonly onError: (error: unknown) => void
  /** Whatever the forge answers. */
  readonly onAccess: (access: ForgeAccess) => void
}

/** A forge that is busy with a push answers the next time; one that is away does not keep a server from starting. */
const TRIES_AT_START = 4
const BETWEEN_TRIES_MILLISECONDS = 1_000

/** Access at the start, before anything is written. @throws FleetError what the forge said last */
export async function accessAtStart(forge: Pick<Forge, 'access'>, clock: Clock): Promise<ForgeAccess> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await forge.access()
    } catch (error) {
      const mayPass = isFleetError(error) && error.code !== 'forge-denied'
      if (!mayPass || tries === TRIES_AT_START) throw error
      await clock.sleep(BETWEEN_TRIES_MILLISECONDS)
    }
  }
}

export interface AccessCheck {
  problems(): readonly Problem[]
  /** There was trouble with the repository since the last look. */
  isOutdated(): boolean
  close(): Promise<void>
}

export function startAccessCheck(options: AccessCheckOptions): AccessCheck {
  const { forge, contact, clock, logger, onError, writes } = options
  let missing: readonly string[] | undefined
  let lookAt = Number.NEGATIVE_INFINITY
  const isOtherToken = tokenWatch(options)
  const state = (): string => homeState(options.home())
  let lookedIn = state()
  const loop = startLoop({
    ...{ clock, interval: BEAT_MILLISECONDS },
    async run() {
      if ((await isOtherToken()) || state() !== lookedIn) lookAt = Number.NEGATIVE_INFINITY
      if (!contact.mayLook || clock.monotonic() < lookAt) return
      lookAt = clock.monotonic() + INTERVAL_MISSING
      const present = state()
      const access = await contact
        .look(() => forge.access())
        .catch((error: unknown) => {
          if (isAway(error)) lookAt = Number.NEGATIVE_INFINITY
          else lookedIn = present
          throw error
        })
      options.onAccess(access)
      lookedIn = present
      const found = missingRights(access, forge.kind, writes)
      if (missing === undefined || found.join() !== missing.join())
        tell(logger, forge.url, access, writes, found)
      missing = found
      if (found.length === 0 && options.home().trouble === undefined)
        lookAt = clock.monotonic() + INTERVAL_MILLISECONDS
    },
    onError: (error) => (isAway(error) ? undefined : onError(error)),
  })
  return {
    problems: () =>
      (missing ?? []).map((detail) => ({ path: '.', line: 0, column: 0, code: 'forge-denied', detail })),
    isOutdated: () => state() !== lookedIn,
    close: loop.close,
  }
}

/** Whether it is another one than it was asked for last. */
function tokenWatch({ contact, token: read = async () => '' }: AccessCheckOptions): () => Promise<boolean> {
  let token: string | undefined
  return async () => {
    const before = token
    token = await read()
    const isOther = before !== undefined && before !== token
    if (isOther) contact.tokenChanged()
    return isOther
  }
}

function homeState({ trouble, troubles }: Pick<HomeContact, 'trouble' | 'troubles'>): string {
  return `${troubles} ${trouble?.code ?? 'fine'}`
}

function tell(
  logger: AccessCheckOptions['logger'],
  url: string,
  { login, main }: ForgeAccess,
  writes: MainWrites,
  missing: readonly string[],
): void {
  const about = { forge: url, login, main, writes }
  if (missing.length === 0) return logger.info(about, 'the forge lets Fleetwright do what it needs')
  for (const right of missing) logger.warn(about, `on the forge, ${right}`)
}

const BYPASS: Readonly<Record<ForgeKind, string>> = {
  gitea: 'add it to the push whitelist of the branch protection',
  github: 'add it to the bypass list of the ruleset, or to those who may push in the branch protection',
  gitlab: 'let it push and merge in the settings of the protected branch',
}

/** What is missing, and what to do about it. */
export function missingRights(
  { login, canPush, canReport, main }: ForgeAccess,
  kind: ForgeKind,
  writes: MainWrites,
): readonly string[] {
  return [
    ...(canPush ? [] : [`${login} may not push to the fleet repository; give it the right to write`]),
    ...(canReport
      ? []
      : [`${login} may not write checks and comments; give its token the rights of docs/operations.md`]),
    ...(main === 'protected' && canPush && writes === 'direct'
      ? [
          `main is protected and ${login} may not push to it; ${BYPASS[kind]}, or set protected-main to pull-requests`,
        ]
      : []),
  ]
}
