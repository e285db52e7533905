/** What the parts of one writer share. */
import type { HeadChange } from '../../ports/writer.ts'
import type { Contact } from './contact.ts'
import type { Head } from './head.ts'
import type { IdempotencyMemory } from './idempotency.ts'
import type { Pace } from './pace.ts'
import type { Queue } from './queue.ts'
import type { WriterOptions } from './types.ts'
import type { WindowBase } from './window.ts'

export interface WriterParts {
  readonly options: WriterOptions
  readonly head: Head
  readonly memory: IdempotencyMemory
  readonly contact: Contact
  readonly pace: Pace
  readonly queue: Queue
  readonly announce: (change: HeadChange) => void
}

/** What windows are built on now. */
export function baseOf({ options, head }: Pick<WriterParts, 'options' | 'head'>): WindowBase & {
  readonly head: Head['commit']
} {
  const { ahead, editor, documents, problems, commit } = head
  const { home, render } = options
  return { head: commit, index: ahead, editor, documents, reader: home.objects, render, held: problems }
}
