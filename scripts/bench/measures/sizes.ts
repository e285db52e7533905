/** How much a run measures. */
import type { WriteOptions } from '../../fleet-generator/main.ts'

export interface Sizes {
  readonly fleet: WriteOptions
  /** A tenth of the fleet, for what must not depend on its size. */
  readonly smallFleet: WriteOptions
  readonly preparedCommits: number
  readonly burst: number
  readonly inFlight: number
  readonly inFlightTotal: number
  /** Times that ours and the peer take turns. */
  readonly rounds: number
  /** Pairs of single requests. */
  readonly pairs: number
  readonly rendered: number
  readonly kustomizations: number
  /** What is applied to one API server. */
  readonly driftFleet: WriteOptions
  /** Installations that `kubectl diff` looks at. */
  readonly diffed: number
  readonly edits: number
}

export const FULL: Sizes = {
  fleet: { installations: 5_000, clusters: 20, seed: 1 },
  smallFleet: { installations: 500, clusters: 2, seed: 1 },
  preparedCommits: 1_000,
  burst: 200,
  inFlight: 64,
  inFlightTotal: 1_280,
  rounds: 7,
  pairs: 40,
  rendered: 5_000,
  kustomizations: 15,
  driftFleet: { installations: 500, clusters: 2, seed: 1 },
  diffed: 25,
  edits: 40,
}

/** Enough to see that everything runs; its figures mean nothing. */
export const QUICK: Sizes = {
  fleet: { installations: 60, clusters: 3, seed: 1 },
  smallFleet: { installations: 20, clusters: 2, seed: 1 },
  preparedCommits: 10,
  burst: 6,
  inFlight: 4,
  inFlightTotal: 8,
  rounds: 1,
  pairs: 2,
  rendered: 60,
  kustomizations: 1,
  driftFleet: { installations: 6, clusters: 2, seed: 1 },
  diffed: 1,
  edits: 2,
}
