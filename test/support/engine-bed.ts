/** A test bed with a control cluster, the engines that the clusters are applied by, and what their workspaces need. */
import type { Test } from 'tap'
import { type CustomResources, INSTALLATION_RESOURCES } from '../../scripts/testbed/custom-resources.ts'
import { startTestbed, type Testbed } from '../../scripts/testbed/testbed.ts'
import { startFluxSourceController } from '../stand-ins/flux-source-controller.ts'
import { startOperators } from '../stand-ins/operators.ts'
import type { FleetCluster } from './fleet-on-testbed.ts'

export interface EngineBedOptions {
  /** Custom resources of the control cluster beside the engines' own. */
  readonly controlResources?: CustomResources
}

/** All of it stops with the test. */
export async function startEngineBed(
  t: Test,
  clusters: readonly FleetCluster[],
  { controlResources = [] }: EngineBedOptions = {},
): Promise<Testbed> {
  const bed = await startTestbed({
    clusters: [
      { name: 'control', nodes: 0, customResources: controlResources },
      ...clusters.map(({ name }) => ({ name, customResources: INSTALLATION_RESOURCES })),
    ],
    argocd: clusters.some(({ engine }) => engine === 'argocd'),
    flux: clusters.some(({ engine }) => engine === 'flux'),
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  if (clusters.some(({ engine }) => engine === 'flux')) {
    const { api } = bed.cluster('control')
    const source = await startFluxSourceController({ api, folder: await bed.makeFolder('flux-source') })
    t.teardown(() => source.close())
  }
  for (const { name } of clusters) {
    const operators = startOperators({ api: bed.cluster(name).api, crossplane: false })
    t.teardown(() => operators.close())
  }
  return bed
}
