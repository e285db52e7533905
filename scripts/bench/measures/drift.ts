/** Drift on a real API server: a sweep of a whole cluster beside `kubectl diff`, and from an edit by hand to the report. */
import { spawn } from 'node:child_process'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { kindOf } from '../../../src/fleet/drift/documents.ts'
import type { Id } from '../../../src/fleet/ids.ts'
import { isJsonObject, textAt } from '../../../src/fleet/observed/json.ts'
import { parseManifests } from '../../../src/fleet/yaml/bulk.ts'
import { openClusterWorld } from '../../../src/reconcile/cluster-world.ts'
import type { DriftDetector } from '../../../src/reconcile/drift-detector.ts'
import { systemClock } from '../../../src/system/clock.ts'
import { findTool } from '../../testbed/binaries.ts'
import { missingCustomResources } from '../../testbed/custom-resources.ts'
import { waitFor } from '../../testbed/wait.ts'
import { CLUSTER, type DriftBed, ENGINE, openDriftBed } from '../drift-bed.ts'
import { median, milliseconds, percentile, rowOf, timed } from '../row.ts'
import type { Measure } from './measure.ts'

const TOOLS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubectl',
  'kwok',
] as const
const ROUNDS = 3

/** undefined: it can be measured here; else why not. */
export async function missingForDrift(): Promise<string | undefined> {
  const resources = missingCustomResources()
  if (resources !== undefined) return resources
  for (const tool of TOOLS)
    if ((await findTool(tool)) === undefined) return `${tool} is not built: node scripts/testbed/binaries.ts`
  return undefined
}

export const driftSweep: Measure = {
  name: 'drift-sweep',
  missing: missingForDrift,
  async run(fleets, sizes) {
    const bed = await openDriftBed(sizes.driftFleet, (line) => void process.stderr.write(`${line}\n`))
    try {
      const diffed = await writeManifests(await fleets.scratch('diff'), bed, sizes.diffed)
      const [ours, again, peer]: [number[], number[], number[]] = [[], [], []]
      for (let round = 0; round < ROUNDS; round += 1) {
        const { first, second } = await sweepTwice(bed)
        ours.push(bed.objects / first)
        again.push(bed.objects / second)
        peer.push(diffed.objects / (await kubectlDiff(bed, diffed.file)))
      }
      return {
        row: rowOf({
          name: this.name,
          ours: median(ours),
          peer: median(peer),
          peerName: 'kubectl diff --server-side of the same objects',
          unit: 'objects/s',
          aim: 50,
          better: 'higher',
        }),
        notes: [
          `${bed.texts.size} installations, ${bed.objects} objects: first sweep ${(bed.objects / median(ours)).toFixed(2)} s, the next ones ${(bed.objects / median(again)).toFixed(2)} s`,
          `kubectl diff was given ${diffed.objects} objects: ${(diffed.objects / median(peer)).toFixed(1)} s`,
        ],
      }
    } finally {
      await bed.close()
    }
  },
}

/** @returns seconds of a sweep that knows nothing, and of the one after it. @throws Error unless nothing differs */
async function sweepTwice(bed: DriftBed): Promise<{ readonly first: number; readonly second: number }> {
  const detector = bed.detector()
  const ids = [...bed.texts.keys()]
  const { signal } = new AbortController()
  try {
    const sweeps = []
    for (let round = 0; round < 2; round += 1) {
      const { seconds, value } = await timed(() => detector.sweep(CLUSTER, ids, signal))
      if (value.suspects > 0 || value.objects < bed.objects)
        throw new Error(`a sweep of ${bed.objects} objects found ${JSON.stringify(value)}`)
      sweeps.push(seconds)
    }
    const [first = Number.NaN, second = Number.NaN] = sweeps
    return { first, second }
  } finally {
    await detector.close()
  }
}

async function writeManifests(
  folder: string,
  { texts }: DriftBed,
  installations: number,
): Promise<{ readonly file: string; readonly objects: number }> {
  const documents = [...texts.values()]
    .slice(0, installations)
    .flatMap((text) => parseManifests(text).filter(isJsonObject))
    .filter((document) => kindOf(document) !== undefined)
  const file = join(folder, 'manifests.json')
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: documents }))
  return { file, objects: documents.length }
}

/** @returns seconds. @throws Error when it finds a difference, or fails */
async function kubectlDiff({ cluster }: DriftBed, file: string): Promise<number> {
  const kubectl = (await findTool('kubectl')) ?? 'kubectl'
  const { seconds, value } = await timed(async () => {
    const child = spawn(
      kubectl,
      [
        ...['--kubeconfig', cluster.kubeconfig, 'diff', '--server-side', '--force-conflicts'],
        ...[`--field-manager=${ENGINE}`, '-f', file],
      ],
      { stdio: ['ignore', 'pipe', 'pipe'] },
    )
    let words = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => {
        words += chunk.toString('utf8')
      })
    const code = await new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('close', resolve)
    })
    return { code, words }
  })
  if (value.code !== 0)
    throw new Error(`kubectl diff ended with ${value.code}: ${value.words.slice(0, 2_000)}`)
  return seconds
}

export const driftEdit: Measure = {
  name: 'drift-edit',
  missing: missingForDrift,
  async run(_fleets, sizes) {
    const bed = await openDriftBed(sizes.driftFleet, (line) => void process.stderr.write(`${line}\n`))
    const detector = bed.detector()
    const world = openClusterWorld({
      api: bed.api,
      clock: systemClock,
      onTouch: () => undefined,
      onContact: () => undefined,
      onObject: (kind, object, removed) => detector.object(CLUSTER, kind, object, removed),
    })
    try {
      await waitFor('all watches', async () => world.fresh || undefined, { within: 120_000 })
      const times: number[] = []
      for (const [id] of [...bed.texts].slice(0, sizes.edits)) times.push(await edit(bed, detector, id))
      return {
        row: rowOf({
          name: this.name,
          ours: median(times) * 1000,
          peer: 1_000,
          peerName: 'one second (no peer)',
          unit: 'ms',
          aim: 1,
          better: 'lower',
        }),
        notes: [
          `${times.length} edits on a cluster of ${bed.texts.size} installations: p95 ${milliseconds(percentile(times, 95))}`,
        ],
      }
    } finally {
      await world.close()
      await detector.close()
      await bed.close()
    }
  },
}

/** @returns seconds from the answer to the edit until it is reported */
async function edit({ cluster, texts }: DriftBed, detector: DriftDetector, id: Id): Promise<number> {
  const mattermost = parseManifests(texts.get(id) ?? '')
    .filter(isJsonObject)
    .find((document) => textAt(document, 'kind') === 'Mattermost')
  if (mattermost === undefined || !isJsonObject(mattermost.metadata))
    throw new Error(`${id} has no Mattermost resource`)
  const name = textAt(mattermost.metadata, 'name')
  const path = `/apis/installation.mattermost.com/v1beta1/namespaces/${id}/mattermosts/${name}`
  await cluster.api.patch(`${path}?fieldManager=kubectl-edit`, { spec: { version: '9.9.9' } }, 'merge')
  const { seconds } = await timed(() => reported(detector, id))
  return seconds
}

async function reported(detector: DriftDetector, id: Id): Promise<void> {
  for (let waits = 0; waits < 20_000; waits += 1) {
    if (detector.of(id).length > 0) return
    await systemClock.sleep(1)
  }
  throw new Error(`the edit of ${id} was not reported`)
}
