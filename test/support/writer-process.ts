/**
 * Creates installations as fast as it can and prints the number of each one that was acknowledged. To be killed.
 * Arguments: path or URL of the repository, folder for data, first number, tag of the requests.
 */
import { join } from 'node:path'
import type { RepositoryHome } from '../../src/git/contracts.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { remoteHome } from './git-server/home.ts'
import { creation, requestContext, writerOn } from './git-writer.ts'
import { sshHome } from './ssh-server/home.ts'

const [repository = '', folder = '', first = '0', tag = ''] = process.argv.slice(2)
const home = await openHome()
const writer = await writerOn(home)
process.stdout.write('ready\n')

async function openHome(): Promise<RepositoryHome> {
  if (repository.startsWith('http:')) return await remoteHome({ url: repository }, folder)
  if (!repository.startsWith('ssh:')) return await openEmbeddedHome(repository)
  // What it logs in with lies where the test put it.
  const login = { keyFile: join(folder, 'key'), knownHostsFile: join(folder, 'known_hosts') }
  return await sshHome({ url: repository, ...login }, folder)
}

let next = Number(first)
async function work(): Promise<void> {
  for (;;) {
    const number = next
    next += 1
    await writer.submit(creation(number), requestContext(number, { requestId: `${tag}-${number}` }))
    process.stdout.write(`${number}\n`)
  }
}
await Promise.all(Array.from({ length: 8 }, work))
