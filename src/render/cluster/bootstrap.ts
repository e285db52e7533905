/** What a person applies once on the control cluster; all else follows from git. */
import { FleetError } from '../../fleet/errors.ts'
import type { FileChange } from '../../fleet/files.ts'
import type { EngineName, FleetSettings } from '../../fleet/intents.ts'
import { fleetControlPath } from '../../fleet/paths.ts'
import type { TemplateSets } from '../template-set.ts'
import { argocdBootstrap } from './argocd.ts'
import { fluxBootstrap } from './flux.ts'
import { healthCheckFiles } from './health-checks.ts'

const ENGINES = ['argocd', 'flux'] as const satisfies readonly EngineName[]

/**
 * The text for `kubectl apply`: what makes an engine follow its half of `refs/heads/control`. No secret is in it.
 * @param engine the fleet's, unless clusters of the other one are to be served as well
 * @throws FleetError `invalid-template`, `invalid-document`
 */
export function bootstrapManifests(
  sets: TemplateSets,
  { spec }: FleetSettings,
  engine: EngineName = spec.engine,
): string {
  const templates = sets.get(spec.templateSet)
  if (templates === undefined) {
    const known = [...sets.keys()].join(', ')
    throw new FleetError(
      'invalid-document',
      `fleet.yaml wants template set ${spec.templateSet}; there are ${known}.`,
    )
  }
  return engine === 'argocd' ? argocdBootstrap(templates, spec) : fluxBootstrap(templates, spec)
}

/** The same text in git, for each engine: no folder of `control/` is ever missing, and a new URL reaches the engines. And the health checks. */
export function renderFleetControl(sets: TemplateSets, settings: FleetSettings): readonly FileChange[] {
  return [
    ...ENGINES.map((engine) => ({
      path: fleetControlPath(engine),
      text: bootstrapManifests(sets, settings, engine),
    })),
    ...healthCheckFiles(),
  ]
}
