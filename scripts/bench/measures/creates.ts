/** Creates over HTTP: a burst, and a steady number in flight. */
import type { Fleets } from '../fleets.ts'
import { type Fleetwright, type Home, startFleetwright } from '../fleetwright.ts'
import { createAll, type LoadResult } from '../load.ts'
import type { Moved } from '../native-git.ts'
import { createRequestSource } from '../requests.ts'
import { type Finding, median, milliseconds, percentile, rowOf } from '../row.ts'
import type { Measure } from './measure.ts'
import type { Sizes } from './sizes.ts'
import { peerOf } from './writer.ts'

/**
 * What the provisioning server that Fleetwright replaces stores in PostgreSQL with 64 creates in flight, recorded on a
 * machine of this kind (2 cores); it is not run here. p50 176 ms, p99 486 ms.
 */
const RECORDED = { createsPerSecond: 318, p50: 0.176, p99: 0.486 } as const

export const burst: Measure = {
  name: 'burst',
  async run(fleets, sizes) {
    const peer = await peerOf(fleets, 'burst-peer', sizes.fleet)
    const rounds: { readonly ours: number; readonly peer: number }[] = []
    await withServer(fleets, 'burst-ours', sizes, async (server, directory) => {
      const requests = createRequestSource()
      for (let round = 0; round <= sizes.rounds; round += 1) {
        const { result, moved } = await moving(server, directory, () =>
          createAll(server, requests(sizes.burst), sizes.burst),
        )
        const theirs = await peer.importAndPush(moved)
        if (round > 0 || sizes.rounds === 1) rounds.push({ ours: result.seconds, peer: theirs })
      }
    })
    const ours = median(rounds.map((round) => round.ours))
    const theirs = median(rounds.map((round) => round.peer))
    return {
      row: rowOf({
        name: this.name,
        ours: sizes.burst / ours,
        peer: sizes.burst / theirs,
        peerName: 'git fast-import + git push of the same commits',
        unit: 'creates/s',
        aim: 0.7,
        better: 'higher',
      }),
      notes: [`${sizes.burst} creates: ours ${milliseconds(ours)}, peer ${milliseconds(theirs)}`],
    }
  },
}

/** Pushed to a git server over HTTP. */
export const inFlight: Measure = {
  name: 'in-flight',
  run: (fleets, sizes) => measureInFlight('in-flight', 'remote', fleets, sizes),
}

/** On the default, the embedded repository: on this disk, as the original's PostgreSQL. */
export const inFlightEmbedded: Measure = {
  name: 'in-flight-embedded',
  run: (fleets, sizes) => measureInFlight('in-flight-embedded', 'embedded', fleets, sizes),
}

async function measureInFlight(name: string, home: Home, fleets: Fleets, sizes: Sizes): Promise<Finding> {
  const rounds: LoadResult[] = []
  await withServer(fleets, name, { ...sizes, home }, async (server) => {
    const requests = createRequestSource()
    // Code that runs for the first time is slow; a server that is up for a minute is not.
    await createAll(server, requests(sizes.inFlightTotal), sizes.inFlight)
    for (let round = 0; round < Math.min(sizes.rounds, 3); round += 1)
      rounds.push(await createAll(server, requests(sizes.inFlightTotal), sizes.inFlight))
  })
  const latencies = rounds.flatMap((round) => round.latencies)
  const [p50, p99] = [50, 99].map((percent) => milliseconds(percentile(latencies, percent)))
  return {
    row: rowOf({
      name,
      ours: sizes.inFlightTotal / median(rounds.map((round) => round.seconds)),
      peer: RECORDED.createsPerSecond,
      peerName: `the original's figure, stored in PostgreSQL (recorded, not run here)`,
      unit: 'creates/s',
      aim: 2,
      better: 'higher',
    }),
    notes: [
      `latency with ${sizes.inFlight} in flight: p50 ${p50}, p99 ${p99} (recorded: p50 ${milliseconds(RECORDED.p50)}, p99 ${milliseconds(RECORDED.p99)})`,
    ],
  }
}

export const single: Measure = {
  name: 'single',
  async run(fleets, sizes) {
    const peer = await peerOf(fleets, 'single-peer', sizes.fleet)
    const pairs: { readonly ours: number; readonly peer: number }[] = []
    await withServer(fleets, 'single-ours', sizes, async (server, directory) => {
      const requests = createRequestSource()
      for (let pair = 0; pair < sizes.pairs; pair += 1) {
        const { result, moved } = await moving(server, directory, () => createAll(server, requests(1), 1))
        pairs.push({ ours: result.seconds, peer: await peer.commitTreeAndPush(moved) })
      }
    })
    return {
      row: rowOf({
        name: this.name,
        ours: median(pairs.map((pair) => pair.ours)) * 1000,
        peer: median(pairs.map((pair) => pair.peer)) * 1000,
        peerName: 'git commit-tree + git push of the same trees',
        unit: 'ms',
        aim: 1.5,
        better: 'lower',
      }),
      notes: [],
    }
  },
}

export const fleetSize: Measure = {
  name: 'fleet-size',
  async run(fleets, sizes) {
    const large: number[] = []
    const small: number[] = []
    await withServer(fleets, 'large', sizes, async (first) => {
      await withServer(fleets, 'small', { ...sizes, fleet: sizes.smallFleet }, async (second) => {
        const requests = createRequestSource()
        for (let pair = 0; pair < sizes.pairs; pair += 1) {
          const [body = ''] = requests(1)
          large.push((await createAll(first, [body], 1)).seconds)
          small.push((await createAll(second, [body], 1)).seconds)
        }
      })
    })
    return {
      row: rowOf({
        name: this.name,
        ours: median(large) * 1000,
        peer: median(small) * 1000,
        peerName: `the same create in a fleet of ${sizes.smallFleet.installations} instead of ${sizes.fleet.installations} installations`,
        unit: 'ms',
        aim: 1.3,
        better: 'lower',
      }),
      notes: [],
    }
  },
}

/** A server on a fleet of its own, for as long as the work takes. */
async function withServer(
  fleets: Fleets,
  name: string,
  { fleet, home = 'remote' }: Pick<Sizes, 'fleet'> & { readonly home?: Home },
  work: (server: Fleetwright, directory: string) => Promise<void>,
): Promise<void> {
  const hosted = await fleets.host(name, fleet)
  const server = await startFleetwright(hosted, home, await fleets.scratch(`${name}-data`))
  try {
    await work(server, hosted.directory)
  } finally {
    await server.close()
  }
}

/** Work with what it moved. */
async function moving<Result>(
  server: Fleetwright,
  directory: string,
  work: () => Promise<Result>,
): Promise<{ readonly result: Result; readonly moved: Moved }> {
  const before = await server.tips()
  const result = await work()
  return { result, moved: { directory, before, after: await server.tips() } }
}
