import { PassThrough, type Readable } from 'node:stream'
import { test } from 'tap'
import { FleetError } from '../../src/fleet/errors.ts'
import { MATTERMOST } from '../../src/fleet/observed/mattermost.ts'
import type { ApiHttp, HttpRequest } from '../../src/kube/http.ts'
import { startWatch, type WatchParts } from '../../src/kube/watch.ts'
import type { Clock } from '../../src/ports/clock.ts'

/** Pauses pass at once, and are counted. */
function clock(): Clock & { readonly pauses: number[] } {
  const pauses: number[] = []
  return {
    pauses,
    now: () => 0,
    monotonic: () => 0,
    sleep: async (milliseconds) => {
      pauses.push(milliseconds)
      await new Promise((resolve) => setImmediate(resolve))
    },
  }
}

type Answer =
  | { readonly list: object }
  | { readonly watch: readonly object[]; readonly stay?: boolean }
  | { readonly error: FleetError }

/** Answers in the order of the script; when it is over, a watch that says nothing. */
function script(answers: readonly Answer[]): { readonly http: ApiHttp; readonly asked: URLSearchParams[] } {
  const asked: URLSearchParams[] = []
  let next = 0
  const open: PassThrough[] = []
  function take(request: HttpRequest): Answer {
    asked.push(new URLSearchParams(request.path.split('?')[1]))
    const answer = answers[next]
    next += 1
    return answer ?? { watch: [], stay: true }
  }
  return {
    asked,
    http: {
      async json(request) {
        const answer = take(request)
        if ('error' in answer) throw answer.error
        if ('list' in answer) return answer.list
        throw new Error('a list was asked for where the script has a watch')
      },
      async stream(request): Promise<Readable> {
        const answer = take(request)
        if ('error' in answer) throw answer.error
        if (!('watch' in answer)) throw new Error('a watch was asked for where the script has a list')
        const stream = new PassThrough()
        open.push(stream)
        request.signal?.addEventListener('abort', () => stream.destroy())
        for (const event of answer.watch) stream.write(`${JSON.stringify(event)}\n`)
        if (answer.stay !== true) stream.end()
        return stream
      },
      close: () => undefined,
    },
  }
}

function object(name: string, resourceVersion: string): object {
  return { metadata: { name, namespace: 'n', resourceVersion } }
}

function list(resourceVersion: string, items: readonly object[], next?: string): Answer {
  return { list: { metadata: { resourceVersion, ...(next === undefined ? {} : { continue: next }) }, items } }
}

interface Run {
  readonly seen: string[]
  readonly problems: string[]
  readonly listed: number
  readonly asked: readonly URLSearchParams[]
  readonly pauses: readonly number[]
  readonly fresh: boolean
}

/** Plays a script to its end. */
async function play(answers: readonly Answer[]): Promise<Run> {
  const { http, asked } = script(answers)
  const time = clock()
  const run = { seen: [] as string[], problems: [] as string[], listed: 0 }
  const parts: WatchParts = {
    http: async () => http,
    clock: time,
    randomness: { bytes: (count) => new Uint8Array(count).fill(128) },
    hurry: () => new AbortController().signal,
    onContact: () => undefined,
    onProblem: (error) => void run.problems.push(error.code),
    onRestart: () => undefined,
  }
  const watch = startWatch(
    {
      kind: MATTERMOST,
      keep: (kept) => kept,
      onChange: ({ object: kept, removed }) =>
        void run.seen.push(
          `${removed ? '-' : '+'}${kept.metadata.name}@${kept.metadata.resourceVersion ?? ''}`,
        ),
      onListed() {
        run.listed += 1
      },
    },
    parts,
  )
  while (asked.length <= answers.length) await new Promise((resolve) => setTimeout(resolve, 2))
  await new Promise((resolve) => setTimeout(resolve, 5))
  const { fresh } = watch
  await watch.close()
  return { ...run, asked, pauses: time.pauses, fresh }
}

test('a list in pages, then a watch that goes on from it', async (t) => {
  const run = await play([
    list('5', [object('a', '1')], 'more'),
    list('5', [object('b', '2')]),
    {
      watch: [
        { type: 'MODIFIED', object: object('a', '6') },
        { type: 'DELETED', object: object('b', '7') },
      ],
    },
  ])
  t.strictSame(run.seen, ['+a@1', '+b@2', '+a@6', '-b@7'])
  t.equal(run.listed, 1)
  t.equal(run.asked[1]?.get('continue'), 'more')
  t.equal(run.asked[2]?.get('resourceVersion'), '5')
  t.equal(run.asked[3]?.get('resourceVersion'), '7', 'it resumes where it was')
  t.ok(run.fresh)
})

test('bookmarks move the place to resume from and are no change', async (t) => {
  const run = await play([
    list('5', []),
    { watch: [{ type: 'BOOKMARK', object: { metadata: { resourceVersion: '90' } } }] },
  ])
  t.strictSame(run.seen, [])
  t.equal(run.asked[2]?.get('resourceVersion'), '90')
})

for (const [name, expired] of [
  ['as an answer', { error: new FleetError('cluster-rejected', 'too old', { expired: true }) }],
  ['as an event', { watch: [{ type: 'ERROR', object: { code: 410, message: 'too old resource version' } }] }],
] as const) {
  test(`410 ${name} lists again, and tells only what changed meanwhile`, async (t) => {
    const run = await play([
      list('5', [object('a', '1'), object('b', '2')]),
      expired,
      list('9', [object('a', '1'), object('c', '8')]),
    ])
    t.strictSame(run.seen, ['+a@1', '+b@2', '+c@8', '-b@'], 'also what is gone')
    t.equal(run.listed, 2)
    t.strictSame(run.problems, [])
  })
}

test('what fails is tried again with growing pauses, and forgets nothing', async (t) => {
  const down = { error: new FleetError('cluster-unavailable', 'refused', { problem: 'unreachable' }) }
  const run = await play([
    list('5', [object('a', '1')]),
    down,
    down,
    down,
    down,
    { watch: [{ type: 'MODIFIED', object: object('a', '6') }] },
  ])
  t.strictSame(run.seen, ['+a@1', '+a@6'])
  t.equal(run.problems.length, 4)
  const growing = run.pauses.slice(0, 4)
  t.strictSame(
    [...growing].sort((a, b) => a - b),
    growing,
  )
  t.ok((growing[3] ?? 0) > (growing[0] ?? 0) * 4)
  t.equal(run.asked[5]?.get('resourceVersion'), '5')
})

test('a kind that the server does not know is empty, not a problem', async (t) => {
  const run = await play([
    { error: new FleetError('not-found', 'no such kind') },
    list('5', [object('a', '1')]),
  ])
  t.equal(run.listed, 2)
  t.strictSame(run.problems, [])
  t.strictSame(run.seen, ['+a@1'])
})

test('a line that is no event ends the watch, which starts again', async (t) => {
  const run = await play([
    list('5', []),
    { watch: [['no event']] },
    { watch: [{ type: 'ADDED', object: object('a', '6') }] },
  ])
  t.strictSame(run.problems, ['cluster-unavailable'])
  t.strictSame(run.seen, ['+a@6'])
})
