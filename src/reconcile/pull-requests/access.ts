/** Looks at what Fleetwright may do on the forge, and says clearly what is missing. */
import type { Problem } from '../../fleet/files.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Forge, ForgeAccess, ForgeKind } from '../../ports/forge.ts'
import { startLoop } from '../loop.ts'
import { type ForgeContact, isAway } from './forge-contact.ts'

const BEAT_MILLISECONDS = 5_000
/** Rights change seldom; a look costs some requests. */
const INTERVAL_MILLISECONDS = 60 * 60_000
/** While something is missing: somebody may be putting it right. */
const INTERVAL_MISSING = 5 * 60_000

export type MainWrites = 'direct' | 'pull-requests'

export interface AccessCheckOptions {
  readonly forge: Pick<Forge, 'access' | 'url' | 'kind'>
  /** How Fleetwright writes to main. */
  readonly writes: MainWrites
  readonly contact: Pick<ForgeContact, 'ask' | 'isOpen'>
  readonly clock: Clock
  readonly logger: { info(data: object, text: string): void; warn(data: object, text: string): void }
  readonly onError: (error: unknown) => void
  /** Whatever the forge answers. */
  readonly onAccess: (access: ForgeAccess) => void
}

export interface AccessCheck {
  problems(): readonly Problem[]
  close(): Promise<void>
}

export function startAccessCheck(options: AccessCheckOptions): AccessCheck {
  const { forge, contact, clock, logger, onError, writes } = options
  let missing: readonly string[] | undefined
  let lookAt = Number.NEGATIVE_INFINITY
  const loop = startLoop({
    ...{ clock, interval: BEAT_MILLISECONDS },
    async run() {
      if (!contact.isOpen || clock.monotonic() < lookAt) return
      lookAt = clock.monotonic() + INTERVAL_MISSING
      const access = await contact
        .ask(() => forge.access())
        .catch((error: unknown) => {
          if (isAway(error)) lookAt = Number.NEGATIVE_INFINITY
          throw error
        })
      options.onAccess(access)
      const found = missingRights(access, forge.kind, writes)
      if (missing === undefined || found.join() !== missing.join())
        tell(logger, forge.url, access, writes, found)
      missing = found
      if (found.length === 0) lookAt = clock.monotonic() + INTERVAL_MILLISECONDS
    },
    onError: (error) => (isAway(error) ? undefined : onError(error)),
  })
  return {
    problems: () =>
      (missing ?? []).map((detail) => ({ path: '.', line: 0, column: 0, code: 'forge-denied', detail })),
    close: loop.close,
  }
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
