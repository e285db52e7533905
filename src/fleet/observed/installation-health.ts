/** Health of a whole installation, and in words what it waits for. */
import type { Installation } from '../intents.ts'
import { type HealthReport, worstOf } from './health.ts'
import type { Deadlines } from './judge.ts'
import type { InstallationSight } from './sight.ts'

export interface HealthInput {
  readonly installation: Installation
  readonly now: number
  readonly deadlines: Pick<Deadlines, 'debounce'>
}

/** The whole is as healthy as its worst part, once an error has lasted. */
export function healthOf(
  { installation, now, deadlines }: HealthInput,
  sight: InstallationSight,
): HealthReport {
  if (!sight.contact.connected)
    return {
      health: 'unknown',
      reason: 'NoContact',
      message: contactReason(sight) ?? 'No contact with the cluster',
    }
  const lasting = (since: number): boolean => now - since >= deadlines.debounce
  const resources = sight.resources
    // What could not be asked beside the cluster takes nothing from what is seen on it.
    .filter(({ report }) => report.health !== 'unknown')
    .map(({ report, since }) => (lasting(since) ? report : calm(report)))
  // A Secret that is missing while the database is still being made is no error of Mattermost.
  const waits = resources.some(({ health }) => health === 'progressing')
  const reports = [
    ...resources.map((report) => (waits ? notYet(report) : report)),
    mattermostReport(sight, lasting, waits),
  ]
  if (installation.spec.hibernated !== true) reports.push(...runningReports(sight))
  return worstOf(reports) ?? { health: 'healthy', reason: 'Healthy', message: 'Healthy' }
}

function mattermostReport(
  { mattermost }: InstallationSight,
  lasting: (since: number) => boolean,
  waits: boolean,
): HealthReport {
  if (mattermost === undefined)
    return {
      health: 'missing',
      reason: 'NotApplied',
      message: 'There is no Mattermost resource on the cluster',
    }
  return lasting(mattermost.since) && !waits ? mattermost.report : calm(mattermost.report)
}

/** What only counts while it is to run. */
function runningReports({ pods, ping }: InstallationSight): readonly HealthReport[] {
  const reports: HealthReport[] = []
  if (pods !== undefined && pods.problems.length > 0)
    reports.push({ health: 'degraded', reason: 'PodsNotReady', message: podsReason(pods.problems) })
  if (ping !== undefined && !ping.ok)
    reports.push({
      health: 'degraded',
      reason: 'PingFailed',
      message: ping.detail ?? `The workspace answered ${ping.status ?? 'nothing'}`,
    })
  return reports
}

/** An error that has not lasted, or has another's cause, is progress. */
function calm(report: HealthReport): HealthReport {
  return report.health === 'degraded' ? { ...report, health: 'progressing' } : report
}

/** What is missing while things are being made is on its way. */
function notYet(report: HealthReport): HealthReport {
  return report.health === 'missing' ? { ...report, health: 'progressing' } : report
}

export function reasonOf({ mattermost, pods, resources }: InstallationSight): string {
  if (pods !== undefined && pods.problems.length > 0)
    return `Mattermost is reconciling: ${podsReason(pods.problems)}`
  const broken = resources.find(({ report }) => report.health === 'degraded')
  if (broken !== undefined) return `${broken.kind} ${broken.name}: ${broken.report.message}`
  if (mattermost?.error !== undefined && mattermost.error !== '') return mattermost.error
  if (pods !== undefined && pods.ready < pods.wanted) return `${pods.ready} of ${pods.wanted} pods are ready`
  return mattermost?.report.message ?? 'Mattermost is reconciling'
}

function podsReason(problems: NonNullable<InstallationSight['pods']>['problems']): string {
  return problems
    .map(({ reason, count }) => `${words(reason)} on ${count} ${count === 1 ? 'pod' : 'pods'}`)
    .join(', ')
}

/** `ImagePullBackOff` as people say it: image pull back-off. */
function words(reason: string): string {
  return reason
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .toLowerCase()
    .replace('back off', 'back-off')
}

export function contactReason({ contact }: InstallationSight): string | undefined {
  if (contact.connected) return undefined
  return `No contact with the cluster: ${contact.problem?.detail ?? 'it has not answered yet'}`
}
