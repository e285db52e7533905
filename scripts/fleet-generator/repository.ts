/** Writes a fleet as a bare repository: documents, manifests and projections, as if it had grown there. */
import { rm } from 'node:fs/promises'
import { createDocuments } from '../../src/fleet/documents.ts'
import type { FileChange } from '../../src/fleet/files.ts'
import type { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { ObjectId } from '../../src/fleet/ids.ts'
import { git, startGit } from '../../src/git/child-process.ts'
import { createObjectReader } from '../../src/git/object-reader.ts'
import { createTreeEditor } from '../../src/git/tree-editor.ts'
import { allProjections } from '../../src/git/writer/projections.ts'
import { renderFleet } from '../../src/render/render.ts'
import type { TemplateSets } from '../../src/render/template-set.ts'

const AUTHOR = 'Fleetwright <fleetwright@fleetwright.invalid>'

export interface WrittenFleet {
  readonly files: number
  readonly main: ObjectId
}

/** @param directory of the bare repository; must not be there yet */
export async function writeFleetRepository(
  directory: string,
  fleet: FleetIndex,
  sets: TemplateSets,
  seconds: number,
): Promise<WrittenFleet> {
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const stream = new ImportStream(directory)
  let files = 0
  await stream.write(
    `commit refs/heads/main\ncommitter ${AUTHOR} ${seconds} +0000\n${data('Generate the fleet\n')}`,
  )
  for (const { path, text } of everything(fleet, sets)) {
    if (text === undefined) continue
    await stream.write(`M 100644 inline ${path}\n${data(text)}`)
    files += 1
  }
  await stream.end()
  const main = (await git(['rev-parse', 'main'], { directory })).toString('latin1').trim() as ObjectId
  await writeProjections(directory, fleet, main, seconds)
  await git(['pack-refs', '--all'], { directory })
  await rm(`${directory}/hooks`, { recursive: true, force: true })
  return { files, main }
}

function* everything(fleet: FleetIndex, sets: TemplateSets): Iterable<FileChange> {
  const documents = createDocuments()
  for (const [path, intent] of fleet.intents()) yield { path, text: documents.emit(intent) }
  yield* renderFleet(sets, fleet)
}

/** Refs whose commits are the subtrees of main. */
async function writeProjections(
  directory: string,
  fleet: FleetIndex,
  main: ObjectId,
  seconds: number,
): Promise<void> {
  const reader = createObjectReader(directory)
  try {
    const editor = createTreeEditor(reader, (await reader.commit(main)).tree)
    const stream = new ImportStream(directory)
    for (const { ref, folder } of allProjections(fleet)) {
      const tree = await editor.at(folder)
      const content = tree === undefined ? '' : `M 040000 ${tree} \n`
      await stream.write(
        `commit ${ref}\ncommitter ${AUTHOR} ${seconds} +0000\n${data(`Project ${folder}\n`)}${content}`,
      )
    }
    await stream.end()
  } finally {
    await reader.close()
  }
}

function data(text: string): string {
  return `data ${Buffer.byteLength(text)}\n${text}\n`
}

/** Commands to `git fast-import`. */
class ImportStream {
  readonly #child: ReturnType<typeof startGit>
  readonly #ended: Promise<void>
  #buffered: string[] = []
  #size = 0

  constructor(directory: string) {
    this.#child = startGit(['fast-import', '--quiet', '--done'], { directory })
    let words = ''
    this.#child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString('utf8')
    })
    this.#child.stdout.resume()
    // The end of the process tells why writing to it failed.
    this.#child.stdin.on('error', () => undefined)
    this.#ended = new Promise((resolve, reject) => {
      this.#child.once('error', reject)
      this.#child.once('close', (code) => {
        if (code === 0) resolve()
        else reject(new Error(`git fast-import ended with ${code}: ${words}`))
      })
    })
  }

  async write(text: string): Promise<void> {
    this.#buffered.push(text)
    this.#size += text.length
    if (this.#size > 1 << 20) await this.#flush()
  }

  async end(): Promise<void> {
    this.#buffered.push('done\n')
    await this.#flush()
    this.#child.stdin.end()
    await this.#ended
  }

  async #flush(): Promise<void> {
    const text = this.#buffered.join('')
    this.#buffered = []
    this.#size = 0
    if (this.#child.stdin.write(text)) return
    await Promise.race([new Promise((resolve) => this.#child.stdin.once('drain', resolve)), this.#ended])
  }
}
