import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { createDocuments } from '../../src/fleet/documents.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Installation } from '../../src/fleet/intents.ts'
import { clusterPath, databasePath, groupPath, installationPath } from '../../src/fleet/paths.ts'
import { sizeOf } from '../../src/fleet/sizes.ts'
import { emitDocument } from '../../src/fleet/yaml/emit.ts'
import { renderInstallation } from '../../src/render/installation/render-installation.ts'
import { CRD_FOLDER, createCrdCheck } from '../support/crds.ts'
import { cluster, group } from '../support/intents.ts'
import {
  CLUSTER,
  GROUP,
  type RandomInstallation,
  randomInstallation,
  SHARED,
  turned,
} from '../support/random-installations.ts'
import { templateSets } from '../support/templates.ts'

const RUNS = 80
const sets = templateSets()
const documents = createDocuments()

interface Rendered {
  readonly apiVersion: string
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
}

function fleetOf(random: RandomInstallation, installation: Installation): FleetIndex {
  const { settings, oidcProvider, loadBalancerHostname } = random
  const fleet = new FleetIndex(settings)
  const ring = group(GROUP, 3, {
    version: '11.3.0',
    sequence: 3,
    env: { GROUP_ONE: { value: 'group' }, GROUP_TWO: { secret: { key: 'groups/1' } } },
    scheduling: { nodeSelector: { type: 'premium' }, tolerations: [{ key: 'premium', operator: 'Exists' }] },
    previous: [{ sequence: 2, image: 'registry.example.com/mattermost' }],
  })
  const ingress = loadBalancerHostname === undefined ? {} : { ingress: { loadBalancerHostname } }
  const there = cluster(CLUSTER, 2, { ...(oidcProvider === undefined ? {} : { oidcProvider }), ...ingress })
  fleet.apply([
    { path: clusterPath(CLUSTER), before: undefined, after: there },
    { path: groupPath(GROUP), before: undefined, after: ring },
    { path: databasePath('shared-1'), before: undefined, after: SHARED },
    { path: installationPath(CLUSTER, installation.metadata.id), before: undefined, after: installation },
  ])
  return fleet
}

function rendered(random: RandomInstallation, installation = random.installation): string {
  return renderInstallation(sets, fleetOf(random, installation), installation).text ?? ''
}

function parsed(text: string): readonly Rendered[] {
  return parseAllDocuments(text).map((document) => document.toJS())
}

test('the random installations are valid documents', async (t) => {
  fc.assert(
    fc.property(randomInstallation, ({ installation }) => {
      const path = installationPath(CLUSTER, installation.metadata.id)
      const text = documents.emit(installation)
      t.same(documents.errors(path, installation, text), [])
      t.same(documents.parse(path, text).intent, installation)
    }),
    { numRuns: RUNS },
  )
})

test('rendering is a function of what a document says, not of how it is written', async (t) => {
  fc.assert(
    fc.property(randomInstallation, (random) => {
      const text = rendered(random)
      t.equal(rendered(random), text, 'twice')
      const other = { ...random, settings: turned(random.settings) }
      t.equal(rendered(other, turned(random.installation)), text, 'keys in the other order')
    }),
    { numRuns: RUNS },
  )
})

test('manifests can be read again: canonical, in one namespace, each object once', async (t) => {
  fc.assert(
    fc.property(randomInstallation, (random) => {
      const text = rendered(random)
      const found = parsed(text)
      t.equal(found.map((document) => emitDocument({ ...document })).join('---\n'), text)
      const names = found.map(({ apiVersion, kind, metadata }) => `${apiVersion} ${kind} ${metadata.name}`)
      t.equal(new Set(names).size, names.length)
      for (const { kind, metadata } of found) {
        t.match(metadata.name, /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/)
        t.equal(kind === 'Namespace' ? metadata.name : metadata.namespace, random.installation.metadata.id)
      }
    }),
    { numRuns: RUNS },
  )
})

test('every manifest is valid against its real CRD', {
  skip: existsSync(CRD_FOLDER) ? false : '../shared/crds is not here',
}, async (t) => {
  const check = createCrdCheck()
  let checked = 0
  fc.assert(
    fc.property(randomInstallation, (random) => {
      for (const document of parsed(rendered(random))) {
        const found = check(document)
        if (found === 'no CRD') continue
        checked += 1
        t.equal(found, 'valid', `${document.kind} ${document.metadata.name}`)
      }
    }),
    { numRuns: RUNS },
  )
  t.ok(checked > RUNS, `${checked} documents`)
})

interface Variable {
  readonly name: string
  readonly value?: string
  readonly valueFrom?: object
}
interface Mattermost extends Rendered {
  readonly spec: {
    readonly size?: string
    readonly replicas: number
    readonly mattermostEnv: readonly Variable[]
    readonly ingress: {
      readonly host: string
      readonly hosts: readonly { readonly hostName: string }[]
      readonly annotations: Readonly<Record<string, string>>
    }
    readonly volumes?: readonly { readonly name: string }[]
    readonly volumeMounts?: readonly { readonly name: string }[]
  }
}

const WHITELIST = 'nginx.ingress.kubernetes.io/whitelist-source-range'

test('the Mattermost resource says what was wanted', async (t) => {
  fc.assert(
    fc.property(randomInstallation, (random) => {
      const { spec, metadata } = random.installation
      const found = parsed(rendered(random))
      const mattermost = found.find(({ kind }) => kind === 'Mattermost') as Mattermost
      const hibernated = spec.hibernated === true
      const replicas = sizeOf(spec.size)?.replicas ?? 0
      t.equal(mattermost.spec.size, undefined, 'a size would be erased by the operator')
      t.equal(mattermost.spec.replicas, hibernated ? 0 : replicas)
      t.equal(
        found.some(({ kind }) => kind === 'PodDisruptionBudget'),
        !hibernated && replicas > 1,
      )
      const live = spec.dns.filter(({ deletedAt }) => deletedAt === undefined)
      t.equal(mattermost.spec.ingress.host, live.find(({ primary }) => primary === true)?.name)
      t.same(
        mattermost.spec.ingress.hosts.map(({ hostName }) => hostName).sort(),
        live.map(({ name }) => name).sort(),
      )
      const variables = mattermost.spec.mattermostEnv
      const names = variables.map(({ name }) => name)
      t.same(names, [...new Set(names)].sort(), 'sorted, each once')
      t.equal(variables.find(({ name }) => name === 'MM_CLOUD_INSTALLATION_ID')?.value, metadata.id)
      for (const [name, value] of Object.entries(spec.priorityEnv ?? {})) {
        if (name.startsWith('MM_') || !('value' in value)) continue
        t.equal(variables.find((one) => one.name === name)?.value, value.value, 'priority')
      }
      t.same(
        mattermost.spec.volumes?.map(({ name }) => name) ?? [],
        mattermost.spec.volumeMounts?.map(({ name }) => name) ?? [],
      )
      t.equal(mattermost.spec.volumes?.length ?? 0, Object.keys(spec.volumes ?? {}).length)
      const enabled = (spec.allowedIpRanges ?? []).some((range) => range.enabled)
      t.equal(WHITELIST in mattermost.spec.ingress.annotations, hibernated || enabled)
    }),
    { numRuns: RUNS },
  )
})
