/**
 * Asks for installations as a client that asks again does, and dies at the point it is told. Prints `ready`, the number of
 * each that was carried out, and at last `points` with how many there were.
 */
import { isFleetError } from '../../src/fleet/errors.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { crashAt } from './crash-points.ts'
import { remoteHome } from './git-server/home.ts'
import { creation, requestContext, writerOn } from './git-writer.ts'

export interface CrashOrder {
  /** Path or URL. */
  readonly repository: string
  readonly folder: string
  readonly numbers: readonly number[]
  /** At which point; 0: at none. */
  readonly crash: number
  readonly children: boolean
  /** One after another, so that there are many windows. */
  readonly inTurn: boolean
}

// The test writes it.
const order = JSON.parse(process.argv[2] ?? '') as CrashOrder
const points = crashAt(order.crash, order.children)
const { repository, folder } = order
const home = repository.startsWith('http:')
  ? await remoteHome({ url: repository }, folder)
  : await openEmbeddedHome(repository)
const writer = await writerOn(home)
process.stdout.write('ready\n')
points.arm()

async function ask(number: number): Promise<void> {
  const context = requestContext(number, {
    requestId: `run-${number}`,
    idempotencyKey: `key-${number}`,
    requestDigest: 'digest',
  })
  try {
    await writer.submit(creation(number), context)
  } catch (error) {
    if (!isFleetError(error) || error.code !== 'carried-out-already') throw error
  }
  process.stdout.write(`${number}\n`)
}

if (order.inTurn) for (const number of order.numbers) await ask(number)
else await Promise.all(order.numbers.map(ask))
const passed = points.passed()
await writer.close()
process.stdout.write(`points ${passed}\n`)
