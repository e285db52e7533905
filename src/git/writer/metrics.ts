import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { WriterObserver } from './types.ts'

/** The writer's series: windows, commits, queue, races, durations. */
export function createWriterMetrics(registry: Registry, logError: (error: unknown) => void): WriterObserver {
  const registers = [registry]
  const queue = new Gauge({
    name: 'fleetwright_writer_queue',
    help: 'Requests that wait for a window',
    registers,
  })
  const commits = new Counter({ name: 'fleetwright_writer_commits_total', help: 'Commits pushed', registers })
  const refused = new Counter({
    name: 'fleetwright_writer_refused_total',
    help: 'Requests refused by a transaction',
    registers,
  })
  const races = new Counter({
    name: 'fleetwright_writer_races_total',
    help: 'Pushes lost to another writer and run again',
    registers,
  })
  const pacing = new Histogram({
    name: 'fleetwright_writer_pacing_seconds',
    help: 'How long a push waited for its turn',
    buckets: [0, 0.1, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 600],
    registers,
  })
  const limited = new Counter({
    name: 'fleetwright_writer_limited_total',
    help: 'Times the git server asked for a pause',
    registers,
  })
  const ingested = new Counter({
    name: 'fleetwright_writer_ingested_total',
    help: 'Times commits of others were taken in',
    registers,
  })
  const problems = new Gauge({
    name: 'fleetwright_repository_problems',
    help: 'Documents of the repository that are held',
    registers,
  })
  const failures = new Counter({
    name: 'fleetwright_writer_failures_total',
    help: 'Errors of the writer',
    registers,
  })
  const bytes = new Counter({
    name: 'fleetwright_writer_object_bytes_total',
    help: 'Bytes of new objects before compression',
    registers,
  })
  const seconds = new Histogram({
    name: 'fleetwright_writer_window_seconds',
    help: 'A window from its first transaction to its push',
    buckets: [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30],
    registers,
  })
  const size = new Histogram({
    name: 'fleetwright_writer_window_commits',
    help: 'Commits in a window',
    buckets: [1, 2, 5, 10, 25, 50, 100, 250, 500],
    registers,
  })
  return {
    queued: (length) => queue.set(length),
    window(result) {
      commits.inc(result.commits)
      refused.inc(result.refused)
      bytes.inc(result.bytes)
      seconds.observe(result.milliseconds / 1000)
      size.observe(result.commits)
    },
    race: () => races.inc(),
    paced: (milliseconds) => pacing.observe(milliseconds / 1000),
    limited: () => limited.inc(),
    ingested(_commits, held) {
      ingested.inc()
      problems.set(held)
    },
    failed(error) {
      failures.inc()
      logError(error)
    },
  }
}
