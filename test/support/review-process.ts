/**
 * Puts a change up for review, or takes in what was merged, and dies at the point it is told. Prints `ready`, and at last
 * `points` with how many there were.
 */
import { updateInstallation } from '../../src/fleet/transactions/installations/update.ts'
import { openEmbeddedHome } from '../../src/git/embedded/home.ts'
import { crashAt } from './crash-points.ts'
import { requestContext, writerOn } from './git-writer.ts'
import { id } from './intents.ts'

export interface ReviewOrder {
  readonly directory: string
  readonly what: 'propose' | 'take in'
  /** Of the review. */
  readonly number: number
  /** At which point; 0: at none. */
  readonly crash: number
  readonly children: boolean
}

// The test writes it.
const { directory, what, number, crash, children } = JSON.parse(process.argv[2] ?? '') as ReviewOrder
const points = crashAt(crash, children)
const home = await openEmbeddedHome(directory)
if (what === 'take in') points.arm()
const writer = await writerOn(home)
process.stdout.write('ready\n')
points.arm()
if (what === 'propose') {
  await writer.propose({
    id: id(number),
    reasons: [{ kind: 'size-up', detail: 'it grows' }],
    transaction: updateInstallation({ id: id(1), stateOf: () => 'stable', patch: { size: '1000users' } }),
    context: requestContext(number, { idempotencyKey: `key-${number}`, requestDigest: 'digest' }),
  })
} else {
  await writer.poll()
  await writer.submit(
    () => ({ changes: [], text: { subject: 'Nothing', trailers: {} }, value: undefined }),
    requestContext(0),
  )
}
const passed = points.passed()
await writer.close()
process.stdout.write(`points ${passed}\n`)
