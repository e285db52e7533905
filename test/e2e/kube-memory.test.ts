/** What following a cluster costs in memory. INSTALLATIONS says how many there are (120); docs/benchmarks.md has 500. */
import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { test } from 'tap'
import { parseAllDocuments } from 'yaml'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import type { KubernetesApi, KubernetesObject } from '../../scripts/testbed/kubernetes-api.ts'
import { startTestbed } from '../../scripts/testbed/testbed.ts'
import { RENDERED_RESOURCES } from '../stand-ins/operators.ts'
import type { MemoryReport } from '../support/watching-process.ts'

const skip = missingCustomResources() ?? false
const GOLDEN = join(import.meta.dirname, '../golden/installations/aws-rds-postgres--aws-s3.yaml')
const PROCESS = join(import.meta.dirname, '../support/watching-process.ts')
const FEW = 20
const INSTALLATIONS = Number(process.env.INSTALLATIONS ?? 120)
const MEBIBYTE = 1024 * 1024

test(`${INSTALLATIONS} installations are followed in bounded memory`, { skip }, async (t) => {
  const bed = await startTestbed({
    clusters: [{ name: 'prod-1', nodes: 0, customResources: RENDERED_RESOURCES }],
    log: (line) => t.comment(line),
  })
  t.teardown(() => bed.stop())
  const { api, token, kubeconfigFor } = bed.cluster('prod-1')
  const folder = await bed.makeFolder('credentials')
  await writeFile(join(folder, 'prod-1'), kubeconfigFor(token), { mode: 0o600 })
  let made = await makeInstallations(api, 0, FEW)
  const few = await follow(folder)
  t.comment(wordsOf(few))
  made += await makeInstallations(api, FEW, INSTALLATIONS)
  const many = await follow(folder)
  t.comment(wordsOf(many))
  t.ok(many.objects >= made, 'all of them were told')
  // Connections cost what they cost; what comes with the installations counts.
  const kept = many.after.heap - many.before.heap - (few.after.heap - few.before.heap)
  t.ok(kept < many.bytes - few.bytes, 'less is kept than was sent')
})

async function follow(folder: string): Promise<MemoryReport> {
  const { stdout } = await promisify(execFile)(process.execPath, ['--expose-gc', PROCESS, folder])
  return JSON.parse(stdout)
}

function wordsOf({ before, after, mostRss, milliseconds, objects, bytes }: MemoryReport): string {
  const mebibytes = (size: number): string => (size / MEBIBYTE).toFixed(1)
  return [
    `${objects} objects (${mebibytes(bytes)} MiB of JSON) known after ${milliseconds} ms`,
    `heap ${mebibytes(before.heap)} MiB before, ${mebibytes(after.heap)} MiB after`,
    `RSS ${mebibytes(before.rss)} MiB before, ${mebibytes(after.rss)} MiB after, ${mebibytes(mostRss)} MiB at most`,
  ].join('; ')
}

/** @returns how many objects were made */
async function makeInstallations(api: KubernetesApi, from: number, to: number): Promise<number> {
  const text = await readFile(GOLDEN, 'utf8')
  const [, id = ''] = /^kind: Namespace\nmetadata:\n {2}name: (\S+)/m.exec(text) ?? []
  const numbers = Array.from({ length: to - from }, (_, at) => from + at).values()
  let made = 0
  async function makeSome(): Promise<void> {
    for (const number of numbers) {
      const copy = text.replaceAll(id, `n${String(number).padStart(25, '0')}`)
      for (const document of parseAllDocuments(copy)) {
        const object: KubernetesObject = document.toJS()
        const path = await api.pathOf(object)
        await api.create(path.slice(0, path.lastIndexOf('/')), object)
        made += 1
      }
    }
  }
  await Promise.all(Array.from({ length: 16 }, makeSome))
  return made
}
