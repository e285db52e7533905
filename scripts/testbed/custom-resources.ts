/** The real custom resource definitions, from the folder beside the repository; the project holds no copy of them. */
import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { KubernetesApi, KubernetesObject } from './kubernetes-api.ts'
import { waitFor } from './wait.ts'

export const CUSTOM_RESOURCES_FOLDER = join(import.meta.dirname, '../../../shared/crds')

/** Groups (`argoproj.io`), single ones (`buckets.s3.aws.m.upbound.io`), or all. */
export type CustomResources = 'all' | readonly string[]

/** What each engine needs on the cluster it runs on. */
export const ENGINE_RESOURCES = {
  argocd: ['argoproj.io'],
  flux: ['source.toolkit.fluxcd.io', 'kustomize.toolkit.fluxcd.io'],
} as const

/** What rendered installations without AWS hold. */
export const INSTALLATION_RESOURCES = [
  'installation.mattermost.com',
  'external-secrets.io',
  'generators.external-secrets.io',
  'postgresql.cnpg.io',
] as const

/** undefined: they are there; else a sentence that says what is missing. */
export function missingCustomResources(): string | undefined {
  if (existsSync(CUSTOM_RESOURCES_FOLDER)) return undefined
  return `the custom resource definitions are not there (${CUSTOM_RESOURCES_FOLDER}); real clusters cannot be tested without them`
}

/** Applies them and waits until the API server serves them. */
export async function applyCustomResources(api: KubernetesApi, wanted: CustomResources): Promise<void> {
  if (wanted !== 'all' && wanted.length === 0) return
  const names = await filesOf(wanted)
  await Promise.all(names.map((name) => applyOne(api, name)))
}

async function filesOf(wanted: CustomResources): Promise<readonly string[]> {
  const missing = missingCustomResources()
  if (missing !== undefined) throw new Error(missing)
  // A file is named <group>_<plural>.yaml.
  const all = (await readdir(CUSTOM_RESOURCES_FOLDER)).filter((name) => name.endsWith('.yaml'))
  if (wanted === 'all') return all
  const chosen = wanted.map((entry) => {
    const found = all.filter((name) => {
      const [group, plural] = name.slice(0, -'.yaml'.length).split('_')
      return entry === group || entry === `${plural}.${group}`
    })
    if (found.length === 0) throw new Error(`no custom resource definition for ${entry}`)
    return found
  })
  return [...new Set(chosen.flat())]
}

interface Definition extends KubernetesObject {
  readonly spec: {
    readonly group: string
    readonly versions: readonly { readonly name: string; readonly served: boolean }[]
  }
}

interface Discovery {
  readonly resources: readonly { readonly name: string }[]
}

/** The file goes to the server as it is: reading hundreds of kilobytes of YAML here would take longer than the server does. */
async function applyOne(api: KubernetesApi, file: string): Promise<void> {
  const [group, plural] = file.slice(0, -'.yaml'.length).split('_')
  const text = await readFile(join(CUSTOM_RESOURCES_FOLDER, file))
  const path = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.${group}`
  const { spec } = await api.patch<Definition>(`${path}?fieldManager=testbed&force=true`, text, 'apply')
  const version = spec.versions.find(({ served }) => served)?.name
  const base = `/apis/${spec.group}/${version}`
  await waitFor(
    `${plural}.${group} to be served`,
    async () => {
      // Discovery comes after the resource itself.
      const { resources } = await api.send<Discovery>('GET', base)
      return resources.some(({ name }) => name === plural) && (await api.list(`${base}/${plural}?limit=1`))
    },
    { every: 200 },
  )
}
