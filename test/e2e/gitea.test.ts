/** The forge contract on a real Gitea, with real pushes; and what is its own. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { freePort } from '../../scripts/testbed/ports.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { createGiteaForge, type GiteaSettings } from '../../src/forge/gitea/forge.ts'
import { rotatedToken } from '../../src/forge/token.ts'
import type { Forge } from '../../src/ports/forge.ts'
import { systemClock } from '../../src/system/clock.ts'
import { forgeContract } from '../forge/forge-contract.ts'
import { createGiteaWorld, type GiteaWorld } from '../support/gitea-world.ts'

const skip = missingCustomResources() ?? false

async function startWorld(t: Test): Promise<GiteaWorld> {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  return await createGiteaWorld(gitea, await supervisor.makeFolder('people'))
}

function forgeOf({ gitea, repository, fleetwright }: GiteaWorld, more: Partial<GiteaSettings> = {}): Forge {
  return createGiteaForge({
    server: gitea.url,
    repository,
    token: rotatedToken(async () => fleetwright.token),
    clock: systemClock,
    ...more,
  })
}

test('Gitea is a forge', { skip }, async (t) => {
  const world = await startWorld(t)
  await world.addTeam('operators', ['ada', 'rob', 'fleetwright'])
  // Small pages, so that every list has several.
  const forge = forgeOf(world, { pageSize: 3 })
  const token = '0123456789abcdef0123456789abcdef01234567'
  await forgeContract(t, {
    ...world,
    forge,
    team: { name: 'operators', members: ['ada', 'fleetwright', 'rob'] },
    denied: async () => ({ forge: forgeOf(world, { token: rotatedToken(async () => token) }), token }),
    unreachable: async () => forgeOf(world, { server: `http://127.0.0.1:${await freePort()}` }),
    close: () => forge.stop(),
  })
  await forge.stop()
})
