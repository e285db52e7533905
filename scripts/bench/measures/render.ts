/** Rendering: installations a second on one core, against one `kubectl kustomize` process each. */
import { spawn } from 'node:child_process'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Fleet } from '../../../src/fleet/fleet.ts'
import type { Installation } from '../../../src/fleet/intents.ts'
import { renderInstallation } from '../../../src/render/installation/render-installation.ts'
import type { TemplateSets } from '../../../src/render/template-set.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../../src/system/template-files.ts'
import { generateFleet } from '../../fleet-generator/generate.ts'
import { exampleSettings } from '../../fleet-generator/main.ts'
import { findTool } from '../../testbed/binaries.ts'
import { median, rowOf, timed } from '../row.ts'
import type { Measure } from './measure.ts'

const PEER = 'one kubectl kustomize process an installation'

export const rendering: Measure = {
  name: 'render',
  async run(fleets, sizes) {
    const sets = await readTemplateSets(TEMPLATE_FOLDER)
    const fleet = generateFleet(await exampleSettings(), sizes.fleet)
    const placed = fleet.installations().slice(0, sizes.rendered)
    const kubectl = await findTool('kubectl')
    const ours: number[] = []
    const peer: number[] = []
    const overlays =
      kubectl === undefined
        ? []
        : await writeOverlays(
            await fleets.scratch('kustomize'),
            sets,
            fleet,
            placed.slice(0, sizes.kustomizations),
          )
    for (let round = 0; round <= sizes.rounds; round += 1) {
      const seconds = renderAll(sets, fleet, placed)
      if (round > 0 || sizes.rounds === 1) ours.push(placed.length / seconds)
      for (const { folder, documents } of kubectl === undefined ? [] : overlays)
        peer.push(await kustomize(kubectl ?? '', folder, documents))
    }
    return {
      row: rowOf({
        name: this.name,
        ours: median(ours),
        peer: kubectl === undefined ? null : 1 / median(peer),
        peerName: kubectl === undefined ? `${PEER} (unavailable: no kubectl here)` : PEER,
        unit: 'installations/s',
        aim: 100,
        better: 'higher',
      }),
      notes: [],
    }
  },
}

function renderAll(sets: TemplateSets, fleet: Fleet, installations: readonly Installation[]): number {
  const started = performance.now()
  let characters = 0
  for (const installation of installations)
    characters += renderInstallation(sets, fleet, installation).text?.length ?? 0
  if (characters === 0) throw new Error('nothing was rendered')
  return (performance.now() - started) / 1000
}

interface Overlay {
  readonly folder: string
  readonly documents: number
}

/** Each overlay puts an installation's namespace, version and address over the same manifests as a base. */
async function writeOverlays(
  root: string,
  sets: TemplateSets,
  fleet: Fleet,
  installations: readonly Installation[],
): Promise<readonly Overlay[]> {
  return await Promise.all(
    installations.map(async (installation) => {
      const { id } = installation.metadata
      const { text = '' } = renderInstallation(sets, fleet, installation)
      const base = join(root, id, 'base')
      const folder = join(root, id, 'overlay')
      await mkdir(base, { recursive: true })
      await mkdir(folder, { recursive: true })
      await writeFile(join(base, 'manifest.yaml'), text)
      await writeFile(join(base, 'kustomization.yaml'), 'resources:\n  - manifest.yaml\n')
      await writeFile(join(folder, 'kustomization.yaml'), overlayOf(installation))
      return { folder, documents: countDocuments(text) }
    }),
  )
}

function overlayOf({ metadata, spec }: Installation): string {
  return [
    'resources:',
    '  - ../base',
    `namespace: "${metadata.id}"`,
    'patches:',
    '  - target:',
    '      kind: Mattermost',
    '    patch: |-',
    '      - op: replace',
    '        path: /spec/version',
    `        value: "${spec.version}"`,
    '      - op: replace',
    '        path: /spec/ingress/host',
    `        value: ${spec.dns[0]?.name}`,
    '',
  ].join('\n')
}

function countDocuments(text: string): number {
  return text.match(/^kind: /gm)?.length ?? 0
}

/** @returns seconds of one process. @throws Error unless it printed every document */
async function kustomize(kubectl: string, folder: string, documents: number): Promise<number> {
  const { seconds, value } = await timed(async () => {
    const child = spawn(kubectl, ['kustomize', folder], { stdio: ['ignore', 'pipe', 'pipe'] })
    const output: Buffer[] = []
    let words = ''
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString('utf8')
    })
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    if (code !== 0) throw new Error(`kubectl kustomize ended with ${code}: ${words}`)
    return Buffer.concat(output).toString('utf8')
  })
  const printed = countDocuments(value)
  if (printed !== documents) throw new Error(`kubectl kustomize printed ${printed} of ${documents} documents`)
  return seconds
}
