/** Makes ready what the test bed needs of this machine: binaries, files, moto, redis. `npm run test:e2e` starts with it. */
import { spawnSync } from 'node:child_process'
import { ensureTool, ensureToolFiles, TOOLS, type ToolName, ToolUnavailableError } from './binaries.ts'
import { missingCustomResources } from './custom-resources.ts'
import { ensureMoto } from './moto.ts'

/** @throws ToolUnavailableError with what would help */
export async function prepare(log: (line: string) => void): Promise<void> {
  // First, because it takes no time to find out.
  if (spawnSync('redis-server', ['--version']).status !== 0)
    throw new ToolUnavailableError(
      'redis-server is not on the PATH; Argo CD needs it (Debian: apt-get install redis-server)',
    )
  await ensureMoto(log)
  for (const name of Object.keys(TOOLS) as ToolName[]) await ensureTool(name, log)
  for (const name of ['kwok', 'gitea'] as const) await ensureToolFiles(name)
}

if (import.meta.main) {
  const log = (line: string): void => void process.stdout.write(`${line}\n`)
  const missing = missingCustomResources()
  try {
    // The tests say the same and skip themselves.
    if (missing === undefined) await prepare(log)
    else log(missing)
  } catch (error) {
    if (!(error instanceof ToolUnavailableError)) throw error
    log(`The test bed cannot be made ready: ${error.message}`)
    process.exitCode = 2
  }
}
