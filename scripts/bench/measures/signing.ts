/** Signed commits: what the signature costs, beside native git that makes the same commits. */
import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { git } from '../../../src/git/child-process.ts'
import { commitObject, EMPTY_TREE } from '../../../src/git/objects.ts'
import type { CommitInput, SignCommit } from '../../../src/git/contracts.ts'
import { openSigningKeyFile } from '../../../src/git/signing/signing-key-file.ts'
import { median, rowOf, timed } from '../row.ts'
import type { Measure } from './measure.ts'

const IDENTITY = 'Fleetwright <fleetwright@fleetwright.invalid> 1795424400 +0000'
/** Processes of git that the peer runs in a round. */
const PEER_COMMITS = 20

export const signing: Measure = {
  name: 'signing',
  async run(fleets, sizes) {
    const folder = await fleets.scratch('signing')
    const key = join(folder, 'key')
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', key])
    const { sign } = await openSigningKeyFile(key)
    const directory = join(folder, 'peer.git')
    await git(['init', '--quiet', '--bare', directory])
    await git(['hash-object', '-t', 'tree', '-w', '/dev/null'], { directory })
    const seconds: { ours: number[]; unsigned: number[]; peer: number[] } = {
      ours: [],
      unsigned: [],
      peer: [],
    }
    for (let round = 0; round <= sizes.rounds; round += 1) {
      const signed = await timed(async () => commits(sizes.preparedCommits, sign))
      const unsigned = await timed(async () => commits(sizes.preparedCommits, undefined))
      const peer = await timed(() => commitTrees(directory, key))
      // The first round warms both up and does not count.
      if (round === 0 && sizes.rounds > 1) continue
      seconds.ours.push(signed.seconds / sizes.preparedCommits)
      seconds.unsigned.push(unsigned.seconds / sizes.preparedCommits)
      seconds.peer.push(peer.seconds / PEER_COMMITS)
    }
    const [ours, unsigned] = [median(seconds.ours), median(seconds.unsigned)]
    return {
      row: rowOf({
        name: this.name,
        ours: 1 / ours,
        peer: 1 / median(seconds.peer),
        peerName: 'git commit-tree -S of the same commits',
        unit: 'commits/s',
        aim: 20,
        better: 'higher',
      }),
      notes: [`a signature adds ${((ours - unsigned) * 1e6).toFixed(0)} µs to a commit`],
    }
  },
}

function commits(count: number, sign: SignCommit | undefined): void {
  let parents: CommitInput['parents'] = []
  for (let at = 0; at < count; at += 1) {
    const message = `Commit ${at}\n`
    const identity = { author: IDENTITY, committer: IDENTITY, sign }
    parents = [commitObject({ tree: EMPTY_TREE, parents, message, ...identity }).oid]
  }
}

async function commitTrees(directory: string, key: string): Promise<void> {
  const settings = ['-c', 'gpg.format=ssh', '-c', `user.signingKey=${key}`]
  const people = { NAME: 'Fleetwright', EMAIL: 'fleetwright@fleetwright.invalid' }
  const environment = Object.fromEntries(
    Object.entries(people).flatMap(([name, value]) => [
      [`GIT_AUTHOR_${name}`, value],
      [`GIT_COMMITTER_${name}`, value],
    ]),
  )
  let parent: readonly string[] = []
  for (let at = 0; at < PEER_COMMITS; at += 1) {
    const args = [...settings, 'commit-tree', '-S', EMPTY_TREE, ...parent, '-m', `Commit ${at}`]
    const output = await git(args, { directory, environment })
    parent = ['-p', output.toString('latin1').trim()]
  }
}
