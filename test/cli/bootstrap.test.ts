import { join } from 'node:path'
import { test } from 'tap'
import { fleetwright, runHere } from '../support/command-line.ts'
import { writeFleet } from '../support/fleet-folder.ts'

test('bootstrap prints what the engine of the fleet needs to follow it, and nothing secret', async (t) => {
  const folder = t.testdir({})
  await writeFleet(folder)
  const argocd = await fleetwright(['bootstrap'], { cwd: folder })
  t.equal(argocd.code, 0, argocd.stderr)
  t.match(argocd.stdout, /^kind: Application$/m)
  t.match(argocd.stdout, /control/)
  t.notMatch(argocd.stdout, /^kind: Secret$/m)
  const flux = await runHere(['bootstrap', folder, '--engine', 'flux'])
  t.match(flux.stdout, /^kind: GitRepository$/m)
  t.match(flux.stdout, /^kind: Kustomization$/m)
  const checks = await runHere(['bootstrap', folder, '--health-checks'])
  t.match(checks.stdout, /^ {2}name: argocd-cm$/m)
  t.match(
    (await runHere(['bootstrap', folder, '--health-checks', '--engine', 'flux'])).stdout,
    /healthCheckExprs/,
  )
  t.match(await runHere(['bootstrap', join(folder, 'groups')]), {
    code: 2,
    stdout: /name the folder of a fleet repository/,
  })
})
