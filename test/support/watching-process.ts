/**
 * Follows a cluster until it knows everything, and says what that costs. Arguments: a credentials folder with the file prod-1; run
 * with --expose-gc. Prints one line of JSON.
 */
import { createClusters } from '../../src/kube/clusters.ts'
import { openCredentialsFolder } from '../../src/kube/credentials-folder.ts'
import { openClusterWorld } from '../../src/reconcile/cluster-world.ts'
import { systemClock, systemRandomness } from '../../src/system/clock.ts'
import { until } from './until.ts'

export interface MemoryReport {
  /** Bytes before anything was listed, and when all was known, each after a garbage collection. */
  readonly before: { readonly heap: number; readonly rss: number }
  readonly after: { readonly heap: number; readonly rss: number }
  readonly mostRss: number
  readonly milliseconds: number
  /** Objects that were told, and their size as JSON. */
  readonly objects: number
  readonly bytes: number
}

function memory(): { readonly heap: number; readonly rss: number } {
  globalThis.gc?.()
  const { heapUsed, rss } = process.memoryUsage()
  return { heap: heapUsed, rss }
}

const [folder = ''] = process.argv.slice(2)
const credentials = await openCredentialsFolder({
  folder,
  fileOf: () => undefined,
  clusters: () => ['prod-1'],
})
const clusters = createClusters({ credentials, clock: systemClock, randomness: systemRandomness })
const api = clusters.get('prod-1')
await until(
  async () => api.contact,
  ({ connected }) => connected,
)
const before = memory()
const started = performance.now()
let [objects, bytes] = [0, 0]
const world = openClusterWorld({
  api,
  clock: systemClock,
  onTouch: () => undefined,
  onContact: () => undefined,
  onObject(_kind, object) {
    objects += 1
    bytes += JSON.stringify(object).length
  },
})
await until(
  async () => world.fresh,
  (fresh) => fresh,
  120,
)
const milliseconds = Math.round(performance.now() - started)
const mostRss = process.resourceUsage().maxRSS * 1024
const report: MemoryReport = { before, after: memory(), mostRss, milliseconds, objects, bytes }
process.stdout.write(`${JSON.stringify(report)}\n`)
await world.close()
await clusters.close()
await credentials.close()
