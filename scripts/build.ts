/** Builds `dist/` for a package: Node strips no types of files under node_modules. Runs before `npm pack`. */
import { spawnSync } from 'node:child_process'
import { rmSync } from 'node:fs'

rmSync('dist', { recursive: true, force: true })
const { status } = spawnSync('node_modules/.bin/tsc', ['--project', 'tsconfig.build.json'], {
  stdio: 'inherit',
})
process.exitCode = status ?? 1
