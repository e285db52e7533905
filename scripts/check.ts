/** Everything that can be said about the code without running it: types, lint, boundaries between folders, what nobody uses. */
import { spawnSync } from 'node:child_process'

const CHECKS: readonly (readonly [string, readonly string[]])[] = [
  ['types', ['tsc', '--noEmit']],
  ['lint', ['biome', 'lint', '--error-on-warnings', 'src', 'test', 'scripts']],
  ['boundaries', ['node', 'scripts/boundaries.ts', 'src']],
  ['unused', ['knip', '--no-progress']],
]

let failed = 0
for (const [name, [command = '', ...args]] of CHECKS) {
  const { status, stdout, stderr } = spawnSync(`node_modules/.bin/${command}`, args, { encoding: 'utf8' })
  process.stdout.write(`${status === 0 ? 'ok    ' : 'FAILED'} ${name}\n`)
  if (status === 0) continue
  failed += 1
  process.stdout.write(`${stdout}${stderr}`)
}
process.stdout.write(`${CHECKS.length - failed} passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
