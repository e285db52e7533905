/** `npm run bench`: what Fleetwright does in a second, beside what others do in the same run. */
import { Command } from 'commander'
import { openFleets } from './fleets.ts'
import { burst, fleetSize, inFlight, inFlightEmbedded, single } from './measures/creates.ts'
import { driftEdit, driftSweep } from './measures/drift.ts'
import type { Measure } from './measures/measure.ts'
import { rendering } from './measures/render.ts'
import { signing } from './measures/signing.ts'
import { FULL, QUICK } from './measures/sizes.ts'
import { writerAlone } from './measures/writer.ts'
import type { Finding } from './row.ts'
import { tableOf } from './table.ts'

const MEASURES: readonly Measure[] = [
  writerAlone,
  burst,
  inFlight,
  inFlightEmbedded,
  single,
  signing,
  rendering,
  fleetSize,
  driftSweep,
  driftEdit,
]

const program = new Command('bench')
  .description('Measures Fleetwright beside named peers; docs/benchmarks.md says what and how')
  .option('--json', 'print nothing but the rows as JSON')
  .option('--only <names>', `comma-separated, of ${MEASURES.map(({ name }) => name).join(', ')}`)
  .option('--quick', 'only show that everything runs; the figures mean nothing')
  .parse()
const options = program.opts<{ json?: boolean; only?: string; quick?: boolean }>()

function chosen(): readonly Measure[] {
  if (options.only === undefined) return MEASURES
  const names = options.only.split(',')
  const unknown = names.filter((name) => !MEASURES.some((measure) => measure.name === name))
  if (unknown.length > 0) program.error(`there is no measure ${unknown.join(', ')}`, { exitCode: 2 })
  return MEASURES.filter(({ name }) => names.includes(name))
}

/** Real clusters take long to start, so a quick run has them only when it is told to. */
async function whyNot({ name, missing }: Measure): Promise<string | undefined> {
  if (missing === undefined) return undefined
  if (options.quick === true && options.only === undefined) return `a quick run has it with --only ${name}`
  return await missing()
}

async function run(measures: readonly Measure[]): Promise<readonly Finding[]> {
  const progress = (line: string): void => void process.stderr.write(`${line}\n`)
  const findings: Finding[] = []
  const fleets = await openFleets(progress)
  try {
    for (const measure of measures) {
      const missing = await whyNot(measure)
      if (missing !== undefined) {
        progress(`${measure.name} is left out: ${missing}`)
        continue
      }
      progress(`measuring ${measure.name} …`)
      findings.push(await measure.run(fleets, options.quick === true ? QUICK : FULL))
    }
    return findings
  } finally {
    await fleets.close()
  }
}

const findings = await run(chosen())
const rows = findings.map(({ row }) => row)
if (options.json === true) process.stdout.write(`${JSON.stringify(rows, undefined, 2)}\n`)
else {
  const notes = findings.flatMap((finding) => finding.notes.map((note) => `${finding.row.name}: ${note}`))
  process.stdout.write(`${tableOf(rows)}\n${notes.length === 0 ? '' : `\n${notes.join('\n')}\n`}`)
}
