/** Size names and what they stand for (reference: mattermost-operator's sizes; canonical quantities). */
export interface Size {
  readonly replicas: number
  readonly requests: { readonly cpu: string; readonly memory: string }
  readonly limits: { readonly cpu: string; readonly memory: string }
}

const SMALL = { cpu: '2', memory: '4Gi' } as const
const MIDDLE = { cpu: '4', memory: '8Gi' } as const
const LARGE = { cpu: '4', memory: '16Gi' } as const
const XL = { requests: { cpu: '1', memory: '4Gi' }, limits: LARGE } as const

const SIZES: Readonly<Record<string, Size>> = {
  miniSingleton: { replicas: 1, requests: { cpu: '10m', memory: '150Mi' }, limits: SMALL },
  miniHA: { replicas: 2, requests: { cpu: '10m', memory: '150Mi' }, limits: SMALL },
  cloud10users: { replicas: 2, requests: { cpu: '10m', memory: '150Mi' }, limits: SMALL },
  cloud100users: { replicas: 2, requests: { cpu: '50m', memory: '256Mi' }, limits: SMALL },
  '100users': { replicas: 1, requests: { cpu: '100m', memory: '256Mi' }, limits: SMALL },
  '1000users': { replicas: 2, requests: { cpu: '150m', memory: '256Mi' }, limits: SMALL },
  '5000users': { replicas: 2, requests: { cpu: '500m', memory: '500Mi' }, limits: MIDDLE },
  '10000users': { replicas: 2, requests: { cpu: '500m', memory: '500Mi' }, limits: MIDDLE },
  '25000users': { replicas: 2, requests: { cpu: '1', memory: '4Gi' }, limits: LARGE },
  provisionerXL: { replicas: 4, ...XL },
}

/** Undefined for a name that is not known. `provisionerXL-6` has six replicas. */
export function sizeOf(name: string): Size | undefined {
  if (Object.hasOwn(SIZES, name)) return SIZES[name]
  const replicas = /^provisionerXL-([1-9][0-9]?)$/.exec(name)?.[1]
  return replicas === undefined ? undefined : { replicas: Number(replicas), ...XL }
}

export function sizeNames(): readonly string[] {
  return [...Object.keys(SIZES), 'provisionerXL-<replicas>']
}

/** In any respect: more replicas, or more of anything for all. A size that nobody knows is taken for a larger one. */
export function isLarger(size: string, than: string): boolean {
  if (size === than) return false
  const [is, was] = [sizeOf(size), sizeOf(than)]
  if (was === undefined || is === undefined) return true
  return amounts(is).some((amount, at) => amount > (amounts(was)[at] ?? 0))
}

/** Of the whole installation. */
function amounts({ replicas, requests, limits }: Size): readonly number[] {
  return [
    replicas,
    ...[requests.cpu, limits.cpu].map((text) => replicas * quantity(text)),
    ...[requests.memory, limits.memory].map((text) => replicas * quantity(text)),
  ]
}

const UNITS: Readonly<Record<string, number>> = { '': 1, m: 0.001, Ki: 2 ** 10, Mi: 2 ** 20, Gi: 2 ** 30 }

/** Quantities of the table of sizes. */
function quantity(text: string): number {
  const [, number = '', unit = ''] = /^([0-9.]+)([A-Za-z]*)$/.exec(text) ?? []
  return Number(number) * (UNITS[unit] ?? Number.NaN)
}
