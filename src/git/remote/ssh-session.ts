/** One command of git on the server, over one session of ssh: what it says first, a request, and the answer. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process'
import { once } from 'node:events'
import type { TimeLimits } from './http-client.ts'
import { FLUSH, PacketLineStream } from './packet-lines.ts'

/** Of what a server says; packs never come this way. */
const MOST_BYTES = 32 * 1024 * 1024
const MOST_WORDS = 64 * 1024

export interface SshConversation {
  /** Packet lines before the request; undefined: they did not come whole, so nothing was asked. */
  readonly advertised: readonly Buffer[] | undefined
  readonly answer: Buffer
  /** What ssh and the server's command said to people. */
  readonly words: string
  /** Of ssh: the command's own status, 255 when it is ssh that failed. */
  readonly status: number
}

/**
 * @param request undefined: only what the server says first is of interest
 * @throws Error of the system when ssh cannot be started
 */
export async function converse(
  child: ChildProcessWithoutNullStreams,
  request: readonly Buffer[] | undefined,
  limits: TimeLimits,
): Promise<SshConversation> {
  const advertisement = new PacketLineStream()
  const answer: Buffer[] = []
  let words = ''
  let length = 0
  const stop = (why: string): void => {
    words += `\n${why}`
    child.kill('SIGKILL')
  }
  const silence = setTimeout(
    () => stop(`Timeout, server did not answer for ${limits.silenceMilliseconds / 1000} s`),
    limits.silenceMilliseconds,
  )
  const total = setTimeout(() => stop('Timeout, server took too long'), limits.totalMilliseconds)
  child.stdin.on('error', () => undefined) // its status tells why it ended
  child.stderr.on('data', (chunk: Buffer) => {
    silence.refresh()
    if (words.length < MOST_WORDS) words += chunk.toString('utf8')
  })
  child.stdout.on('data', (chunk: Buffer) => {
    silence.refresh()
    length += chunk.length
    if (length > MOST_BYTES) return stop(`The answer is longer than ${MOST_BYTES} bytes`)
    if (advertisement.state === 'whole') return void answer.push(chunk)
    advertisement.push(chunk)
    if (advertisement.state === 'broken') return stop('The answer is not what a git server says')
    if (advertisement.state === 'open') return
    if (advertisement.rest.length > 0) answer.push(advertisement.rest)
    for (const part of request ?? [FLUSH]) child.stdin.write(part)
    child.stdin.end()
  })
  try {
    const [status] = await once(child, 'close')
    return {
      advertised: advertisement.state === 'whole' ? advertisement.lines : undefined,
      answer: Buffer.concat(answer),
      words,
      status: typeof status === 'number' ? status : -1,
    }
  } finally {
    clearTimeout(silence)
    clearTimeout(total)
  }
}
