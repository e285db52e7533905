/** What the delivery engines say on the control cluster: Argo CD's Applications, Flux' Kustomizations. */
import { applicationChart, HELM_RELEASE, keepHelmRelease, releaseChart } from '../fleet/observed/charts.ts'
import { ENGINE_NAMESPACES } from '../fleet/observed/engine-units.ts'
import {
  APPLICATION,
  applicationWord,
  type EngineWord,
  KUSTOMIZATION,
  keepApplication,
  keepKustomization,
  kustomizationWord,
} from '../fleet/observed/engines.ts'
import type { EngineName } from '../fleet/intents.ts'
import type { LiveObject, ResourceKind } from '../fleet/observed/objects.ts'
import type { Contact } from '../fleet/observed/sight.ts'
import type { Clock } from '../ports/clock.ts'
import type { ClusterApi, Watch } from '../ports/clusters.ts'

export interface HeardWord extends EngineWord {
  readonly observedAt: number
}

export interface EngineWorld {
  readonly contact: Contact
  readonly fresh: boolean
  word(engine: EngineName, name: string): HeardWord | undefined
  /** Version of the chart that an Application or HelmRelease has installed. */
  chart(engine: EngineName, name: string): string | undefined
  close(): Promise<void>
}

export interface EngineWorldOptions {
  readonly api: ClusterApi
  readonly clock: Clock
  /** A unit says something else than before. */
  readonly onWord: (engine: EngineName, name: string) => void
}

export function openEngineWorld({ api, clock, onWord }: EngineWorldOptions): EngineWorld {
  const words = { argocd: new Map<string, HeardWord>(), flux: new Map<string, HeardWord>() }
  const charts = { argocd: new Map<string, string>(), flux: new Map<string, string>() }
  function hear(engine: EngineName, name: string, chart: string | undefined): void {
    if (chart === undefined) charts[engine].delete(name)
    else charts[engine].set(name, chart)
  }
  function listen(
    engine: EngineName,
    kind: ResourceKind,
    keep: (object: LiveObject) => LiveObject,
    read: (object: LiveObject) => EngineWord,
  ): Watch {
    return api.watch({
      kind,
      namespace: ENGINE_NAMESPACES[engine],
      keep,
      onChange({ object, removed }) {
        const { name } = object.metadata
        if (kind === APPLICATION) hear(engine, name, removed ? undefined : applicationChart(object))
        const word = removed ? undefined : read(object)
        const before = words[engine].get(name)
        if (word === undefined) words[engine].delete(name)
        else words[engine].set(name, { ...word, observedAt: clock.now() })
        if (word === undefined || before === undefined || differs(before, word)) onWord(engine, name)
      },
    })
  }
  const watches = [
    listen('argocd', APPLICATION, keepApplication, applicationWord),
    listen('flux', KUSTOMIZATION, keepKustomization, kustomizationWord),
    api.watch({
      kind: HELM_RELEASE,
      namespace: ENGINE_NAMESPACES.flux,
      keep: keepHelmRelease,
      onChange: ({ object, removed }) =>
        hear('flux', object.metadata.name, removed ? undefined : releaseChart(object)),
    }),
  ]
  return {
    get contact() {
      return api.contact
    },
    get fresh() {
      return watches.every((watch) => watch.fresh)
    },
    word: (engine, name) => words[engine].get(name),
    chart: (engine, name) => charts[engine].get(name),
    close: async () => void (await Promise.all(watches.map((watch) => watch.close()))),
  }
}

function differs(before: EngineWord, after: EngineWord): boolean {
  return (
    before.sync !== after.sync ||
    before.revision !== after.revision ||
    before.message !== after.message ||
    before.health?.health !== after.health?.health
  )
}
