/** SIGINT and SIGTERM as something to wait for. */

export interface StopSignal {
  readonly requested: boolean
  /** Resolves when somebody wants the process to stop. */
  wait(): Promise<void>
  close(): void
}

/** npm passes on the Ctrl-C that the terminal sent to both: a second one so soon is the same one. */
const SAME_SIGNAL_MILLISECONDS = 500

/** The first signal asks to stop; another one, when stopping takes too long for somebody, ends the process at once. */
export function watchStopSignals(): StopSignal {
  const asked = Promise.withResolvers<void>()
  let since: number | undefined
  const onSignal = (): void => {
    if (since !== undefined && performance.now() - since > SAME_SIGNAL_MILLISECONDS) process.exit(1)
    since ??= performance.now()
    asked.resolve()
  }
  process.on('SIGINT', onSignal)
  process.on('SIGTERM', onSignal)
  return {
    get requested() {
      return since !== undefined
    },
    wait: () => asked.promise,
    close() {
      process.off('SIGINT', onSignal)
      process.off('SIGTERM', onSignal)
    },
  }
}
