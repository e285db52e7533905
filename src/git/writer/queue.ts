/** What waits for the writer, in the order in which it is served: looks at the home and at the head, follow-ups, requests. */
import type { QueuedLook, Settle, WindowItem } from './types.ts'

export class Queue {
  /** What follows from commits of others: before every request, so that no commit of ours stands without it. */
  readonly following: WindowItem[] = []
  readonly looks: QueuedLook[] = []
  readonly polls: Settle<void>[] = []
  #requests: WindowItem[] = []

  get requests(): number {
    return this.#requests.length
  }

  get hasWork(): boolean {
    return this.#requests.length > 0 || this.hasUrgent
  }

  /** Something that comes before requests, and needs the head to stand still. */
  get hasUrgent(): boolean {
    return this.following.length + this.looks.length + this.polls.length > 0
  }

  push(request: WindowItem): void {
    this.#requests.push(request)
  }

  /** Requests that were taken and not carried out wait again, first. */
  putBack(requests: readonly WindowItem[]): void {
    this.#requests = [...requests, ...this.#requests]
  }

  takeRequests(most: number): readonly WindowItem[] {
    return this.#requests.splice(0, most)
  }

  /** No request goes in before everything that follows from commits of others. */
  takeWindow(most: number): {
    readonly following: readonly WindowItem[]
    readonly requests: readonly WindowItem[]
  } {
    const following = this.following.splice(0, most)
    const room = this.following.length > 0 ? 0 : most - following.length
    return { following, requests: this.takeRequests(room) }
  }
}
