/** A plan as SARIF 2.1.0, as code scanning services read it. */
import type { Log, ReportingDescriptor, Result } from 'sarif'
import { visible } from '../markdown-text.ts'
import type { ReviewPlan } from '../plan.ts'
import { kindOf } from '../problem-kinds.ts'
import { isOfAll } from '../problem-order.ts'
import { FLEET_PATH } from '../../paths.ts'
import { type Told, toldOf } from './told.ts'

const SCHEMA = 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json'

/** @param version of Fleetwright */
export function sarifOf(plan: Pick<ReviewPlan, 'problems' | 'warnings'>, version: string): Log {
  const told = toldOf(plan)
  const codes = [...new Set(told.map(({ problem }) => problem.code))].sort()
  return {
    $schema: SCHEMA,
    version: '2.1.0',
    runs: [
      {
        tool: { driver: { name: 'Fleetwright', version, rules: codes.map(ruleOf) } },
        automationDetails: { id: 'fleetwright/check/' },
        columnKind: 'utf16CodeUnits',
        results: told.map((one) => resultOf(one, codes)),
      },
    ],
  }
}

function ruleOf(code: string): ReportingDescriptor {
  const { title, advice } = kindOf(code)
  return { id: code, shortDescription: { text: title }, help: { text: advice, markdown: advice } }
}

function resultOf({ problem, level, fingerprint }: Told, codes: readonly string[]): Result {
  const { path, line, column, code, detail } = problem
  return {
    ruleId: code,
    ruleIndex: codes.indexOf(code),
    level,
    message: { text: visible(detail) },
    locations: [
      {
        physicalLocation: {
          // Services refuse what has no place; the settings stand for the fleet as a whole.
          artifactLocation: { uri: uriOf(isOfAll(problem) ? FLEET_PATH : path), uriBaseId: '%SRCROOT%' },
          region: { startLine: Math.max(line, 1), startColumn: Math.max(column, 1) },
        },
      },
    ],
    partialFingerprints: { 'fleetwright/v1': visible(fingerprint) },
  }
}

/** Relative to the repository. */
function uriOf(path: string): string {
  return path
    .split('/')
    .map((segment) => encodeURIComponent(segment.toWellFormed()))
    .join('/')
}
