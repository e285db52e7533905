/**
 * Creates installations as fast as it can and prints the number of each one that was acknowledged. To be killed.
 * Arguments: path or URL of the repository, folder for data, first number, tag of the requests.
 */
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { remoteHome } from './git-server/home.ts'
import { creation, requestContext, writerOn } from './git-writer.ts'

const [repository = '', folder = '', first = '0', tag = ''] = process.argv.slice(2)
const home = repository.startsWith('http:')
  ? await remoteHome({ url: repository }, folder)
  : await openEmbeddedHome(repository)
const writer = await writerOn(home)
process.stdout.write('ready\n')
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
