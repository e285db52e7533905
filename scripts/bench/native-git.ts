/** The peer: native git that makes and pushes the commits that Fleetwright made. */
import { spawn } from 'node:child_process'
import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ObjectId, RefName } from '../../src/fleet/ids.ts'
import { git } from '../../src/git/child-process.ts'
import { readTips } from '../../src/git/ref-transactions.ts'
import type { Hosted } from './fleets.ts'
import { timed } from './row.ts'

const MAIN = 'refs/heads/main' as RefName
const AUTHOR = 'Fleetwright <fleetwright@fleetwright.invalid>'

export type Tips = ReadonlyMap<RefName, ObjectId>

/** What moved in Fleetwright's repository, for the peer to do likewise. */
export interface Moved {
  readonly directory: string
  readonly before: Tips
  readonly after: Tips
}

export class NativeGit {
  readonly #directory: string
  readonly #remote: Hosted

  /** @param directory bare repository that has what `remote` has */
  constructor(directory: string, remote: Hosted) {
    this.#directory = directory
    this.#remote = remote
  }

  /**
   * `git fast-import` of the same commits of main and one projection commit for each ref that moved, then one atomic
   * `git push`. @returns seconds of both
   */
  async importAndPush(moved: Moved): Promise<number> {
    const stream = join(this.#directory, 'import')
    await writeFile(stream, await this.#streamOf(moved))
    const refs = movedRefs(moved)
    const { seconds } = await timed(async () => {
      await this.#import(stream)
      await this.#push(refs.map((ref) => `${ref}:${ref}`))
    })
    await this.#requireSame(moved)
    return seconds
  }

  /**
   * `git commit-tree` for main and each ref that moved, then one atomic `git push`. Trees and blobs are there already,
   * which is not counted. @returns seconds of both
   */
  async commitTreeAndPush(moved: Moved): Promise<number> {
    const directory = this.#directory
    const tips = await readTips(directory)
    const refs = movedRefs(moved)
    await git(['fetch', '--quiet', '--no-write-fetch-head', moved.directory, ...refs], { directory })
    const trees = await Promise.all(refs.map((ref) => treeOf(moved.directory, moved.after.get(ref))))
    const { seconds, value } = await timed(async () => {
      const commits: string[] = []
      for (const [at, ref] of refs.entries())
        commits.push(await this.#commitTree(trees[at] ?? '', tips.get(ref)))
      await this.#push(refs.map((ref, at) => `${commits[at]}:${ref}`))
      return commits
    })
    for (const [at, ref] of refs.entries()) await git(['update-ref', ref, value[at] ?? ''], { directory })
    await this.#requireSame(moved)
    return seconds
  }

  async #commitTree(tree: string, parent: string | undefined): Promise<string> {
    const parents = parent === undefined ? [] : ['-p', parent]
    const [name = '', email = ''] = AUTHOR.slice(0, -1).split(' <')
    const environment = {
      GIT_AUTHOR_NAME: name,
      GIT_AUTHOR_EMAIL: email,
      GIT_COMMITTER_NAME: name,
      GIT_COMMITTER_EMAIL: email,
    }
    const output = await git(['commit-tree', tree, ...parents, '-m', 'Create an installation'], {
      directory: this.#directory,
      environment,
    })
    return output.toString('latin1').trim()
  }

  async #push(refspecs: readonly string[]): Promise<void> {
    // One request with the whole pack, however large: git's own default asks a second time.
    const settings = ['-c', 'http.postBuffer=67108864']
    await git([...settings, 'push', '--quiet', '--atomic', this.#remote.url, ...refspecs], {
      directory: this.#directory,
    })
  }

  async #import(stream: string): Promise<void> {
    const input = await open(stream, 'r')
    try {
      const child = spawn('git', ['--git-dir', this.#directory, 'fast-import', '--quiet'], {
        stdio: [input.fd, 'ignore', 'inherit'],
      })
      const code = await new Promise((resolve, reject) => {
        child.once('error', reject)
        child.once('close', resolve)
      })
      if (code !== 0) throw new Error(`git fast-import ended with ${code}`)
    } finally {
      await input.close()
    }
  }

  async #streamOf(moved: Moved): Promise<Buffer> {
    const tips = await readTips(this.#directory)
    const exported = await git(
      ['fast-export', '--reference-excluded-parents', MAIN, `^${moved.before.get(MAIN)}`],
      {
        directory: moved.directory,
      },
    )
    const projections: string[] = []
    for (const ref of movedRefs(moved).filter((name) => name !== MAIN)) {
      const from = tips.get(ref)
      const tree = await treeOf(moved.directory, moved.after.get(ref))
      const parent = from === undefined ? '' : `from ${from}\n`
      projections.push(
        `commit ${ref}\ncommitter ${AUTHOR} 1780000000 +0000\ndata 8\nProject\n${parent}M 040000 ${tree} \n\n`,
      )
    }
    return Buffer.concat([exported, Buffer.from(projections.join(''))])
  }

  /** A peer that did something else would be no peer. */
  async #requireSame({ directory, after }: Moved): Promise<void> {
    const tips = await readTips(this.#remote.directory)
    for (const [ref, tip] of after) {
      const [ours, theirs] = [
        await treeOf(directory, tip),
        await treeOf(this.#remote.directory, tips.get(ref)),
      ]
      if (ours !== theirs) throw new Error(`${ref} of the peer has the tree ${theirs}, ours has ${ours}`)
    }
  }
}

function movedRefs({ before, after }: Moved): readonly RefName[] {
  return [...after.keys()].filter((ref) => before.get(ref) !== after.get(ref))
}

async function treeOf(directory: string, commit: string | undefined): Promise<string> {
  const output = await git(['rev-parse', `${commit}^{tree}`], { directory })
  return output.toString('latin1').trim()
}
