/** Values that Kubernetes writes in another way than they were given, though they mean the same. */

const QUANTITY = /^([+-]?\d*\.?\d+)(?:[eE]([+-]?\d+)|([numkMGTPE]|[KMGTPE]i)?)$/
const FACTORS: Readonly<Record<string, number>> = {
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  '': 1,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  E: 1e18,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
  Ei: 2 ** 60,
}

/** A quantity (`100m`, `0.1`, `2Gi`, `1e3`) as a number; undefined: it is none. */
export function quantityOf(value: string | number): number | undefined {
  if (typeof value === 'number') return value
  const match = QUANTITY.exec(value)
  if (match === null) return undefined
  const [, digits = '', exponent, suffix = ''] = match
  const factor = exponent === undefined ? FACTORS[suffix] : 10 ** Number(exponent)
  return factor === undefined ? undefined : Number(digits) * factor
}

/** Equal up to what a float loses. */
export function sameQuantity(a: string | number, b: string | number): boolean {
  const [left, right] = [quantityOf(a), quantityOf(b)]
  if (left === undefined || right === undefined) return false
  return left === right || Math.abs(left - right) <= Math.abs(left) * 1e-12
}

const DURATION = /^(?:\d+(?:\.\d+)?(?:ns|us|µs|ms|s|m|h))+$/
const UNITS: Readonly<Record<string, number>> = {
  ns: 1e-9,
  us: 1e-6,
  µs: 1e-6,
  ms: 1e-3,
  s: 1,
  m: 60,
  h: 3600,
}

/** `60m` and `1h0m0s` are the same duration. */
export function sameDuration(a: string, b: string): boolean {
  if (!DURATION.test(a) || !DURATION.test(b)) return false
  return Math.abs(seconds(a) - seconds(b)) < 1e-9
}

function seconds(text: string): number {
  let sum = 0
  for (const [, digits, unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g))
    sum += Number(digits) * (UNITS[unit] ?? 0)
  return sum
}
