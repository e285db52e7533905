/** Health rules for the engines, as text that a person puts where the engine reads it (docs/adr/0010). No engine applies them by itself. */
import type { FileChange } from '../../fleet/files.ts'
import type { EngineName } from '../../fleet/intents.ts'
import { type HealthRule, JUDGED_KINDS } from '../../fleet/observed/kinds.ts'
import { MATTERMOST } from '../../fleet/observed/mattermost.ts'
import type { ResourceKind } from '../../fleet/observed/objects.ts'
import { healthChecksPath } from '../../fleet/paths.ts'
import { emitDocument } from '../../fleet/yaml/emit.ts'
import { HEALTH_CEL } from './health-cel.ts'
import { HEALTH_LUA } from './health-lua.ts'
import { ARGOCD_NAMESPACE } from './names.ts'

const RULES: readonly { readonly kind: ResourceKind; readonly rule: HealthRule }[] = [
  { kind: MATTERMOST, rule: 'mattermost' },
  ...JUDGED_KINDS,
]

const ARGOCD_HEAD = `# How Argo CD judges what an installation consists of: the same rules as Fleetwright's own. Only these keys, to be added to the others:
#   fleetwright bootstrap --health-checks --engine argocd | kubectl apply --server-side --field-manager fleetwright --filename -
# Where argocd-cm comes from git, from Helm or from an operator, put the keys in there instead.
apiVersion: v1
kind: ConfigMap
metadata:
  name: argocd-cm
  namespace: ${ARGOCD_NAMESPACE}
  labels:
    app.kubernetes.io/part-of: argocd
data:
`

const FLUX_HEAD = `# How Flux judges what an installation consists of: the same rules as Fleetwright's own. A patch for a Kustomization that waits for
# health (wait: true). Those that Fleetwright renders do not wait: one unhealthy installation would hold the others of its shard.
`

/** Part of the ConfigMap `argocd-cm`, or a patch of a Kustomization that waits for health. */
export function healthChecks(engine: EngineName): string {
  return engine === 'argocd' ? ARGOCD_HEAD + luaByKind() : FLUX_HEAD + emitDocument(kustomization())
}

export function healthCheckFiles(): readonly FileChange[] {
  return (['argocd', 'flux'] as const).map((engine) => ({
    path: healthChecksPath(engine),
    text: healthChecks(engine),
  }))
}

/** Argo CD takes no patterns here: one key a kind. Scripts are for people to read, so they are blocks of lines. */
function luaByKind(): string {
  return RULES.map(({ kind, rule }) => {
    const lines = HEALTH_LUA[rule].trimEnd().split('\n')
    const key = `resource.customizations.health.${kind.group}_${kind.kind}`
    return [`  ${key}: |`, ...lines.map((line) => `    ${line}`), ''].join('\n')
  }).join('')
}

/** Flux matches by group alone when no kind is named: one entry a group of managed resources. */
function kustomization(): object {
  const entries = new Map<string, object>()
  for (const { kind, rule } of RULES) {
    const named: { readonly kind?: string } = rule === 'managed-resource' ? {} : { kind: kind.kind }
    const entry = { apiVersion: `${kind.group}/${kind.version}`, ...named, ...HEALTH_CEL[rule] }
    entries.set(`${kind.group}/${named.kind ?? '*'}`, entry)
  }
  return {
    apiVersion: 'kustomize.toolkit.fluxcd.io/v1',
    kind: 'Kustomization',
    metadata: { name: 'any' },
    spec: { healthCheckExprs: [...entries.values()] },
  }
}
