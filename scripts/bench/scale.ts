/** `node scripts/bench/scale.ts [--installations 50000] [--clusters 100]`: what a server of a large fleet needs. No peer, no aim. */
import { Command } from 'commander'
import { openFleets } from './fleets.ts'
import { type Fleetwright, startFleetwright } from './fleetwright.ts'
import { createAll, read } from './load.ts'
import { createRequestSource } from './requests.ts'
import { median, milliseconds, timed } from './row.ts'

const CREATES = 20

const program = new Command('scale')
  .option('--installations <number>', 'how many installations', '50000')
  .option('--clusters <number>', 'on how many clusters', '100')
  .parse()
const options = program.opts<Record<'installations' | 'clusters', string>>()
const write = (line: string): void => void process.stdout.write(`${line}\n`)

const fleets = await openFleets(write)
try {
  const size = { installations: Number(options.installations), clusters: Number(options.clusters), seed: 1 }
  const hosted = await fleets.host('scale', size)
  const server = await startFleetwright(hosted, 'embedded', await fleets.scratch('scale-data'))
  try {
    write(`up after ${server.startSeconds.toFixed(1)} s, ${megabytes(await server.residentMemory())}`)
    const requests = createRequestSource()
    await createAll(server, requests(CREATES), 1)
    const { latencies } = await createAll(server, requests(CREATES), 1)
    write(`one create: median ${milliseconds(median(latencies))} of ${CREATES}`)
    for (const path of [
      '/api/installations',
      '/api/installations?owner=nobody',
      '/api/installations/count',
    ]) {
      const times: number[] = []
      for (let round = 0; round < CREATES; round += 1)
        times.push((await timed(() => read(server, path))).seconds)
      write(`GET ${path}: median ${milliseconds(median(times))}`)
    }
    write(`GET /metrics: median ${milliseconds(median(await scrapes(server)))}`)
    write(`after that ${megabytes(await server.residentMemory())}`)
  } finally {
    await server.close()
  }
} finally {
  await fleets.close()
}

/** Figures are kept for a second, so scrapes come further apart; seconds each. */
async function scrapes(server: Fleetwright): Promise<readonly number[]> {
  const times: number[] = []
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setTimeout(resolve, 1_500))
    times.push((await timed(() => read(server, '/metrics'))).seconds)
  }
  return times
}

function megabytes(bytes: number): string {
  return `${Math.round(bytes / 1e6)} MB resident`
}
