/** Ends the process at the n-th thing it does to the world: a file, a line to git, a request over HTTP. */
import { readFileSync } from 'node:fs'
import promises from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { Socket } from 'node:net'

const FILE_CALLS = ['open', 'writeFile', 'rename', 'rm', 'mkdir', 'link', 'unlink'] as const

export interface CrashPoints {
  /** From now on things count. */
  arm(): void
  /** How many there were. */
  passed(): number
}

/**
 * @param at just before which of them; 0: none
 * @param children whether git dies with it, as when the power fails
 */
export function crashAt(at: number, children: boolean): CrashPoints {
  let armed = false
  let count = 0
  const pass = (): void => {
    if (!armed) return
    count += 1
    if (count === at) die(children)
  }
  for (const name of FILE_CALLS) replace(promises, name, pass)
  syncBuiltinESMExports()
  replace(Socket.prototype, 'write', pass)
  return {
    arm() {
      armed = true
    },
    passed: () => count,
  }
}

/** The function says that it is called, and then does what it did. */
function replace(owner: object, name: string, before: () => void): void {
  const original: unknown = Reflect.get(owner, name)
  if (typeof original !== 'function') throw new Error(`there is no function ${name}`)
  Reflect.set(owner, name, function called(this: unknown, ...args: readonly unknown[]): unknown {
    // What the test itself is told is not part of the world.
    if (this !== process.stdout && this !== process.stderr) before()
    return Reflect.apply(original, this, args)
  })
}

function die(children: boolean): never {
  if (children) for (const pid of childrenOf(process.pid)) process.kill(pid, 'SIGKILL')
  process.kill(process.pid, 'SIGKILL')
  // Nothing more happens until the signal is there.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
  throw new Error('the process is dead')
}

function childrenOf(pid: number): readonly number[] {
  const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8')
  return text
    .split(' ')
    .filter((word) => word.trim() !== '')
    .map(Number)
}
