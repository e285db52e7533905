/** Creates installations as fast as it can and prints the number of each one that was acknowledged. To be killed. */
import { creation, embeddedWriter, requestContext } from './git-writer.ts'

const [directory = '', first = '0', tag = ''] = process.argv.slice(2)
const writer = await embeddedWriter(directory)
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
