/**
 * Runs the tests and ends with `N passed, N failed`. Arguments: files to run; none: all but test/e2e. `--jobs <number>`: so many files at
 * once, by default two where there are two processors.
 */
import { spawn } from 'node:child_process'
import { glob } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

/** More would only wait for each other: many tests start processes of their own. */
const MOST_JOBS = 2

const { values, positionals } = parseArgs({
  options: { jobs: { type: 'string', default: String(Math.min(MOST_JOBS, availableParallelism())) } },
  allowPositionals: true,
})

async function testFiles(): Promise<readonly string[]> {
  if (positionals.length > 0) return positionals
  const files = await Array.fromAsync(glob('test/**/*.test.ts', { exclude: ['test/e2e/**'] }))
  return files.sort()
}

/** Much more than any file needs on an idle machine. */
const TIMEOUT_SECONDS = '600'

interface Result {
  readonly passed: number
  readonly failed: number
  readonly skipped: number
  /** Why, each reason once. */
  readonly reasons: readonly string[]
}

const SUMMARY =
  /^# \{ total: (\d+)(?:, pass: (\d+))?(?:, fail: (\d+))?(?:, todo: \d+)?(?:, skip: (\d+))? \}$/m

/** What a test says of how long a step took: `# request to applied: 0.75 s`. */
const TIME = /^\s*# (?!Subtest|time=)(.+: \d[\d.]* m?s)$/gm

/** One file in a process of its own; its output is shown when something in it failed. */
async function runFile(file: string): Promise<Result> {
  const started = performance.now()
  const child = spawn(process.execPath, [file], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TAP_TIMEOUT: TIMEOUT_SECONDS },
  })
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => chunks.push(chunk))
  const code = await new Promise<number>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (status) => resolve(status ?? 1))
  })
  const output = Buffer.concat(chunks).toString('utf8')
  const [, , passed = '0', failed = '0', skipped = '0'] = SUMMARY.exec(output) ?? []
  const reasons = [...output.matchAll(/# SKIP (.+)$/gm)].map(([, reason = '']) => reason)
  const result = {
    passed: Number(passed),
    failed: Number(failed),
    skipped: Number(skipped),
    reasons: [...new Set(reasons)],
  }
  const broken = code !== 0 || result.passed + result.skipped === 0
  const seconds = ((performance.now() - started) / 1000).toFixed(1)
  const skips = result.skipped === 0 ? '' : `, ${result.skipped} skipped`
  process.stdout.write(
    `${broken ? 'FAILED' : 'ok    '} ${file} (${result.passed} passed${skips}, ${seconds} s)\n`,
  )
  for (const [, time] of output.matchAll(TIME)) process.stdout.write(`         ${time}\n`)
  if (!broken) return result
  process.stdout.write(output)
  return { ...result, failed: Math.max(1, result.failed) }
}

let passed = 0
let failed = 0
let skipped = 0
const reasons = new Set<string>()
const waiting = (await testFiles()).values()
async function work(): Promise<void> {
  for (const file of waiting) {
    const result = await runFile(file)
    passed += result.passed
    failed += result.failed
    skipped += result.skipped
    for (const reason of result.reasons) reasons.add(reason)
  }
}
await Promise.all(Array.from({ length: Number(values.jobs) }, work))
if (skipped > 0) process.stdout.write(`${skipped} skipped: ${[...reasons].join('; ')}\n`)
process.stdout.write(`${passed} passed, ${failed} failed\n`)
// Where everything says why it cannot run here, nothing failed.
process.exitCode = failed > 0 || passed + skipped === 0 ? 1 : 0
