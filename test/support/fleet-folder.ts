/** A small fleet as files, whole: documents and what they render to. */
import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { createDocuments } from '../../src/fleet/documents.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Installation, Intent } from '../../src/fleet/intents.ts'
import { clusterPath, FLEET_PATH, groupPath, installationPath } from '../../src/fleet/paths.ts'
import { renderFleet } from '../../src/render/render.ts'
import { runProcess } from './command-line.ts'
import { CREATED_AT, cluster, group, id, installation, settings } from './intents.ts'
import { templateSets } from './templates.ts'

/** On prod-1: acme (in group canary) and globex. */
export const ACME = id(1)
export const GLOBEX = id(2)
export const ACME_FOLDER = `clusters/prod-1/installations/${ACME.slice(0, 1)}/${ACME}`
export const GLOBEX_FOLDER = `clusters/prod-1/installations/${GLOBEX.slice(0, 1)}/${GLOBEX}`

function placed(name: string, number: number, spec: Partial<Installation['spec']> = {}): Installation {
  return installation(name, number, {
    placement: { cluster: 'prod-1' },
    clusterInstallations: [{ id: id(number + 100), cluster: 'prod-1', createdAt: CREATED_AT, active: true }],
    ...spec,
  })
}

export async function writeFleet(folder: string): Promise<void> {
  const documents = createDocuments()
  const fleet = settings()
  const ring = group('canary', 11, { version: '11.2.0' })
  const intents: readonly (readonly [string, Intent])[] = [
    [FLEET_PATH, fleet],
    [clusterPath('prod-1'), cluster('prod-1', 10)],
    [groupPath('canary'), ring],
    [installationPath('prod-1', ACME), placed('acme', 1, { group: 'canary' })],
    [installationPath('prod-1', GLOBEX), placed('globex', 2)],
  ]
  const index = new FleetIndex(fleet)
  for (const [path, intent] of intents) {
    await write(folder, path, documents.emit(intent))
    if (intent.kind !== 'Fleet')
      index.apply([{ path: path as typeof FLEET_PATH, before: undefined, after: intent }])
  }
  for (const { path, text } of renderFleet(templateSets(), index)) await write(folder, path, text ?? '')
}

export async function write(folder: string, path: string, text: string): Promise<void> {
  await mkdir(dirname(join(folder, path)), { recursive: true })
  await writeFile(join(folder, path), text)
}

/** Commits all that is in a folder. */
export async function commitAll(folder: string, message: string): Promise<void> {
  const environment = {
    GIT_AUTHOR_NAME: 'Ada',
    GIT_AUTHOR_EMAIL: 'ada@example.com',
    GIT_COMMITTER_NAME: 'Ada',
    GIT_COMMITTER_EMAIL: 'ada@example.com',
  }
  for (const args of [
    ['init', '--quiet', '--initial-branch=main'],
    ['add', '--all'],
    ['commit', '--quiet', '-m', message],
  ]) {
    const { code, stderr } = await runProcess('git', args, { cwd: folder, environment })
    if (code !== 0) throw new Error(stderr)
  }
}
