/** Sends what the world is told. */
import type { Receiver } from './store.ts'

export interface Message {
  readonly id: string
  /** JSON text. */
  readonly body: string
  /** Milliseconds since 1970, of the attempt. */
  readonly sentAt: number
}

export type SendResult =
  | { readonly result: 'taken' }
  /** May work later: no answer, 408, 429, 5xx. */
  | { readonly result: 'later'; readonly error: string }
  /** Will not work as it is: any other answer, an address that is not allowed, a header that has no value. */
  | { readonly result: 'refused'; readonly error: string }

export interface Sender {
  /** Never throws. No value of a header is in an error. */
  send(receiver: Receiver, message: Message): Promise<SendResult>
  close(): Promise<void>
}
