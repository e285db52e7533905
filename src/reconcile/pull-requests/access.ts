/** Looks at what Fleetwright may do on the forge, and says clearly what is missing. */
import type { Problem } from '../../fleet/files.ts'
import type { Clock } from '../../ports/clock.ts'
import type { Forge, ForgeAccess } from '../../ports/forge.ts'
import { startLoop } from '../loop.ts'
import { type ForgeContact, isAway } from './forge-contact.ts'

const BEAT_MILLISECONDS = 5_000
/** Rights change seldom; a look costs some requests. */
const INTERVAL_MILLISECONDS = 60 * 60_000
/** While something is missing: somebody may be putting it right. */
const INTERVAL_MISSING = 5 * 60_000

export interface AccessCheckOptions {
  readonly forge: Pick<Forge, 'access' | 'url'>
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
  const { forge, contact, clock, logger, onError } = options
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
      const found = missingRights(access)
      if (missing === undefined || found.join() !== missing.join()) tell(logger, forge.url, access, found)
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
  missing: readonly string[],
): void {
  const about = { forge: url, login, main }
  if (missing.length === 0) return logger.info(about, 'the forge lets Fleetwright do what it needs')
  for (const right of missing) logger.warn(about, `on the forge, ${right}`)
}

/** What is missing, and what to do about it. */
export function missingRights({ login, canPush, canReport, main }: ForgeAccess): readonly string[] {
  return [
    ...(canPush ? [] : [`${login} may not push to the fleet repository; give it the right to write`]),
    ...(canReport
      ? []
      : [`${login} may not write checks and comments; give its token the rights of docs/operations.md`]),
    ...(main === 'protected' && canPush
      ? [`main is protected and ${login} may not push to it; let it pass by the protection`]
      : []),
  ]
}
