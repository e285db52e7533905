import { test } from 'tap'
import { runGit } from '../../src/git/child-process.ts'

const LIMITS = { fileBytes: 1_048_576, memoryBytes: 1_073_741_824, cpuSeconds: 30 }

test('a run whose child left its process group ends at its time limit, and takes nothing down', async (t) => {
  const started = performance.now()
  const { code } = await runGit(['-c', 'alias.away=!setsid sleep 20 &', 'away'], {
    timeLimitMilliseconds: 1_000,
    limits: LIMITS,
  })
  t.equal(code, 0, 'the child itself had ended well')
  t.ok(performance.now() - started < 15_000, 'nobody waited for what it left behind')
})

test('what works too long is ended with everything that it started', async (t) => {
  const { code } = await runGit(['-c', 'alias.long=!sleep 20 & wait', 'long'], {
    timeLimitMilliseconds: 500,
    limits: LIMITS,
  })
  t.equal(code, -1)
})
