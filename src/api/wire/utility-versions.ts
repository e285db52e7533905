/** `utility-versions` of a request: which charts a cluster shall have. */
import type { Utilities } from '../../fleet/intents.ts'
import { CHART_VERSION, UTILITIES, valuesPathOf } from '../../fleet/utilities.ts'
import { type Decoded, map, object, text } from '../shapes.ts'
import type { Need } from './need.ts'

export const UTILITY_VERSIONS = map(object({ Chart: text(), ValuesPath: text() }), 'By name of the utility')
type UtilityVersions = Decoded<typeof UTILITY_VERSIONS> | undefined

/** Ranges are refused: what git says must mean one thing. */
export function checkUtilities(given: UtilityVersions, need: Need): void {
  for (const { name } of UTILITIES) {
    const chart = given?.[name]?.Chart
    need(
      !chart || CHART_VERSION.test(chart),
      `/utility-versions/${name}/Chart`,
      'must be the exact version of a chart, such as 4.14.0, or unmanaged',
    )
  }
}

/** Those that the request names a chart for. */
export function givenUtilities(given: UtilityVersions): Utilities {
  const named = UTILITIES.flatMap(({ name }) => {
    const chart = given?.[name]?.Chart
    return chart
      ? [[name, { chart, valuesPath: given?.[name]?.ValuesPath || valuesPathOf(name) }] as const]
      : []
  })
  return Object.fromEntries(named)
}

/** Those of a created cluster that neither the request nor the fleet names a chart for. */
export function usualUtilities(given: UtilityVersions): Utilities {
  return Object.fromEntries(
    UTILITIES.map(({ name, chart }) => [
      name,
      { chart, valuesPath: given?.[name]?.ValuesPath || valuesPathOf(name) },
    ]),
  )
}
