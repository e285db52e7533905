/** Where a run works: generated fleets, and a git server with copies of them that are pushed to. */
import { cp, mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git } from '../../src/git/child-process.ts'
import { type WriteOptions, writeGeneratedFleet } from '../fleet-generator/main.ts'
import { type GitHttpServer, startGitHttpServer } from './git-http-server.ts'

/** A repository on the git server. */
export interface Hosted {
  readonly url: string
  /** On this disk, to look at and never to write to. */
  readonly directory: string
}

export interface Fleets {
  readonly folder: string
  /** A fresh copy of a generated fleet on the git server. */
  host(name: string, size: WriteOptions): Promise<Hosted>
  /** A fresh copy of a generated fleet that nobody serves. */
  copy(name: string, size: WriteOptions): Promise<string>
  /** An empty folder. */
  scratch(name: string): Promise<string>
  close(): Promise<void>
}

/** Nothing of the server's own upkeep may run in the middle of a measurement. */
const SETTINGS = [
  ['gc.auto', '0'],
  ['receive.autogc', 'false'],
  ['http.receivepack', 'true'],
] as const

export async function openFleets(progress: (line: string) => void): Promise<Fleets> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-bench-'))
  const root = join(folder, 'server')
  await mkdir(root)
  const server: GitHttpServer = await startGitHttpServer(root)
  const generated = new Map<string, Promise<string>>()
  async function generate(name: string, size: WriteOptions): Promise<string> {
    const directory = join(folder, name)
    const { files, seconds } = await writeGeneratedFleet(directory, size)
    progress(`fleet of ${size.installations} installations: ${files} files in ${seconds.toFixed(1)} s`)
    for (const [key, value] of SETTINGS) await git(['config', key, value], { directory })
    return directory
  }
  function base(size: WriteOptions): Promise<string> {
    const name = `base-${size.installations}-${size.clusters}-${size.seed}.git`
    const known = generated.get(name) ?? generate(name, size)
    generated.set(name, known)
    return known
  }
  async function copyTo(directory: string, size: WriteOptions): Promise<string> {
    await cp(await base(size), directory, { recursive: true })
    return directory
  }
  return {
    folder,
    async host(name, size) {
      return { directory: await copyTo(join(root, `${name}.git`), size), url: `${server.url}/${name}.git` }
    },
    copy: (name, size) => copyTo(join(folder, `${name}.git`), size),
    async scratch(name) {
      const path = join(folder, name)
      await mkdir(path, { recursive: true })
      return path
    },
    async close() {
      await server.close()
      await rm(folder, { recursive: true, force: true })
    },
  }
}
