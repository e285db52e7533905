#!/usr/bin/env node
import { spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

// A checkout has the Node it needs among its dependencies; this process may be an older one.
const own = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url))
const isOld = Number(process.versions.node.split('.')[0]) < 24

if (isOld && existsSync(own)) {
  const child = spawn(own, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { stdio: 'inherit' })
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal))
  child.on('error', (error) => {
    process.stderr.write(`fleetwright: ${own} cannot be started: ${error.message}\n`)
    process.exitCode = 2
  })
  child.on('exit', (code, signal) => {
    process.exitCode = code ?? (signal === null ? 1 : 2)
  })
} else {
  await import('./require-node.js')
  // A checkout runs its sources; a package has what `npm pack` built of them, because Node strips no types under node_modules.
  const source = new URL('../src/main.ts', import.meta.url)
  await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href)
}
