import '../bin/require-node.js'

const { main } = await import('./cli/main.ts')
process.exitCode = await main()
