/** The writer alone: prepared commits, built and pushed. */
import { createDocuments } from '../../../src/fleet/documents.ts'
import type { FileChange } from '../../../src/fleet/files.ts'
import type { Fleet } from '../../../src/fleet/fleet.ts'
import type { Installation } from '../../../src/fleet/intents.ts'
import { installationPath } from '../../../src/fleet/paths.ts'
import { createHistory } from '../../../src/git/history.ts'
import { readTips } from '../../../src/git/ref-transactions.ts'
import { createCredentials } from '../../../src/git/remote/credentials.ts'
import { openRemoteHome } from '../../../src/git/remote/home.ts'
import { createHttpTransport } from '../../../src/git/remote/http-transport.ts'
import { createFleetWriter } from '../../../src/git/writer/create.ts'
import type { WindowItem } from '../../../src/git/writer/types.ts'
import { Writer } from '../../../src/git/writer/writer.ts'
import { renderInstallation } from '../../../src/render/installation/render-installation.ts'
import { createRenderChanges } from '../../../src/render/render.ts'
import type { TemplateSets } from '../../../src/render/template-set.ts'
import { systemClock, systemRandomness } from '../../../src/system/clock.ts'
import { readTemplateSets, TEMPLATE_FOLDER } from '../../../src/system/template-files.ts'
import type { Fleets, Hosted } from '../fleets.ts'
import { NativeGit } from '../native-git.ts'
import { median, milliseconds, rowOf, timed } from '../row.ts'
import type { Measure } from './measure.ts'

const COMMITTER = { name: 'Fleetwright', email: 'fleetwright@fleetwright.invalid' } as const

type Prepared = Omit<Extract<WindowItem, { kind: 'files' }>, 'settle' | 'files'> & {
  readonly files: readonly FileChange[]
}

export const writerAlone: Measure = {
  name: 'writer',
  async run(fleets, sizes) {
    const ours = await fleets.host('writer-ours', sizes.fleet)
    const peer = await peerOf(fleets, 'writer-peer', sizes.fleet)
    const sets = await readTemplateSets(TEMPLATE_FOLDER)
    const writer = await openWriter(ours, await fleets.scratch('writer-data'), sets, sizes.preparedCommits)
    const times: { readonly ours: number; readonly peer: number }[] = []
    try {
      // The first round warms both up and does not count.
      for (let round = 0; round <= sizes.rounds; round += 1) {
        const items = prepare(writer.fleet, sets, sizes.preparedCommits, round)
        const before = await readTips(ours.directory)
        const { seconds } = await timed(() => write(writer, items))
        const after = await readTips(ours.directory)
        const theirs = await peer.importAndPush({ directory: ours.directory, before, after })
        if (round > 0 || sizes.rounds === 1) times.push({ ours: seconds, peer: theirs })
      }
    } finally {
      await writer.close()
    }
    const oursSeconds = median(times.map((time) => time.ours))
    const peerSeconds = median(times.map((time) => time.peer))
    return {
      row: rowOf({
        name: this.name,
        ours: sizes.preparedCommits / oursSeconds,
        peer: sizes.preparedCommits / peerSeconds,
        peerName: 'git fast-import + git push of the same commits',
        unit: 'commits/s',
        aim: 1.2,
        better: 'higher',
      }),
      notes: [
        `${sizes.preparedCommits} commits: ours ${milliseconds(oursSeconds)}, peer ${milliseconds(peerSeconds)}`,
      ],
    }
  },
}

export async function peerOf(
  fleets: Fleets,
  name: string,
  size: Parameters<Fleets['host']>[1],
): Promise<NativeGit> {
  return new NativeGit(await fleets.copy(name, size), await fleets.host(name, size))
}

async function openWriter(
  fleet: Hosted,
  folder: string,
  sets: TemplateSets,
  windowLimit: number,
): Promise<Writer> {
  const credentials = createCredentials({ user: 'bench' })
  const transport = createHttpTransport({ url: fleet.url, credentials })
  const home = await openRemoteHome({ transport, folder })
  const nothing = (): void => undefined
  const writer = await createFleetWriter({
    home,
    history: createHistory(home.gitDirectory),
    render: createRenderChanges(sets),
    clock: systemClock,
    randomness: systemRandomness,
    committer: COMMITTER,
    observer: {
      queued: nothing,
      window: nothing,
      race: nothing,
      paced: nothing,
      limited: nothing,
      ingested: nothing,
      failed: (error) => {
        throw error
      },
    },
    initialFiles: [],
    placement: 'now',
    windowLimit,
  })
  if (writer instanceof Writer) return writer
  throw new TypeError('the writer is of another class')
}

/** Commits that change both files of one installation each, spread over all clusters. */
function prepare(fleet: Fleet, sets: TemplateSets, count: number, round: number): readonly Prepared[] {
  const documents = createDocuments()
  const placed = fleet.installations().filter(({ spec }) => spec.placement !== undefined)
  return Array.from({ length: count }, (_, at) => {
    const installation = placed[(at * 7919 + round) % placed.length]
    if (installation === undefined) throw new RangeError('the fleet is empty')
    return prepareOne(fleet, sets, documents, installation, `round-${round}-${at}`)
  })
}

function prepareOne(
  fleet: Fleet,
  sets: TemplateSets,
  documents: ReturnType<typeof createDocuments>,
  installation: Installation,
  label: string,
): Prepared {
  const env = { ...installation.spec.priorityEnv, MM_BENCH: { value: label } }
  const changed = { ...installation, spec: { ...installation.spec, priorityEnv: env } }
  const { id, name } = installation.metadata
  const cluster = installation.spec.placement?.cluster ?? ''
  const files: readonly FileChange[] = [
    { path: installationPath(cluster, id), text: documents.emit(changed) },
    renderInstallation(sets, fleet, changed),
  ]
  return {
    kind: 'files',
    files,
    text: { subject: `Change installation ${name}`, trailers: { Installation: id } },
    context: { requestId: id, actor: COMMITTER, now: Date.UTC(2026, 10, 24) },
  }
}

async function write(writer: Writer, items: readonly Prepared[]): Promise<void> {
  const settled = items.map(
    (item) =>
      new Promise<unknown>((resolve, reject) => {
        writer.follow([{ ...item, files: async () => item.files, settle: { resolve, reject } }])
      }),
  )
  await Promise.all(settled)
}
