/** What rendering needs of a document, so that a valid one can always be rendered. */
import type { Fleet, IntentChange } from '../fleet.ts'
import type { FleetSettings, Installation } from '../intents.ts'
import { nearest } from '../nearest.ts'
import { isProvided, needsAws } from '../placement.ts'
import { sizeNames, sizeOf } from '../sizes.ts'
import type { Violation } from './check.ts'

export function completenessViolations(
  fleet: Fleet,
  { path, before, after }: IntentChange,
): readonly Violation[] {
  const found: Violation[] = []
  const add = (pointer: string, detail: string): void =>
    void found.push({ path, pointer, code: 'invalid-document', detail })
  switch (after?.kind) {
    case 'Fleet':
      settingsProblems(fleet, before?.kind === 'Fleet' ? before : undefined, after, add)
      return found
    case 'InstallationRequest': {
      const { size, database } = after.spec
      if (size !== undefined) sizeProblem('/spec/size', size, add)
      if (typeof database === 'object') externalProblem(database, add)
      return found
    }
    case 'Installation':
      sizeProblem('/spec/size', after.spec.size, add)
      externalProblem(after.spec.database, add)
      placedProblems(fleet, after, add)
      return found
    default:
      return found
  }
}

type Add = (pointer: string, detail: string) => void

function sizeProblem(pointer: string, size: string, add: Add): void {
  if (sizeOf(size) !== undefined) return
  const near = nearest(size, sizeNames())
  const hint = near === undefined ? `write one of ${sizeNames().join(', ')}` : `did you mean ${near}?`
  add(pointer, `there is no size ${size}; ${hint}`)
}

function externalProblem({ kind, externalSecretKey }: Installation['spec']['database'], add: Add): void {
  if (kind !== 'external' || externalSecretKey !== undefined) return
  add('/spec/database', 'an external database needs externalSecretKey; name its key in the secret backend')
}

function placedProblems(fleet: Fleet, installation: Installation, add: Add): void {
  const { database, filestore } = installation.spec
  for (const [field, kind] of [
    ['database', database.kind],
    ['filestore', filestore.kind],
  ] as const)
    if (!isProvided(kind))
      add(
        `/spec/${field}/kind`,
        `${kind} cannot be provided; choose another kind, see the list in the schema`,
      )
  if (needsAws(installation) && fleet.settings.spec.aws === undefined)
    add('/spec', `${database.kind} with ${filestore.kind} needs AWS; add spec.aws to fleet.yaml first`)
}

function settingsProblems(
  fleet: Fleet,
  before: FleetSettings | undefined,
  after: FleetSettings,
  add: Add,
): void {
  const { spec } = after
  sizeProblem('/spec/defaults/size', spec.defaults.size, add)
  if (spec.dns.provider === 'route53' && spec.dns.zoneId === undefined)
    add('/spec/dns', 'route53 needs zoneId; name the hosted zone')
  for (const [at, pattern] of (spec.secretEnvNames ?? []).entries())
    if (!isPattern(pattern))
      add(`/spec/secretEnvNames/${at}`, 'this is not a regular expression; correct or remove it')
  if (before?.spec.aws === undefined || spec.aws !== undefined) return
  const user = fleet
    .installations()
    .find((installation) => installation.spec.placement && needsAws(installation))
  if (user !== undefined) add('/spec', `installation ${user.metadata.name} is on AWS; keep spec.aws`)
}

function isPattern(text: string): boolean {
  try {
    return new RegExp(text, 'i') instanceof RegExp
  } catch {
    // The reason is the pattern itself, which the problem points at.
    return false
  }
}
