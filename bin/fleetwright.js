#!/usr/bin/env node
import { existsSync } from 'node:fs'
import './require-node.js'

// A checkout runs its sources; a package has what `npm pack` built of them, because Node strips no types under node_modules.
const source = new URL('../src/main.ts', import.meta.url)
await import(existsSync(source) ? source.href : new URL('../dist/main.js', import.meta.url).href)
