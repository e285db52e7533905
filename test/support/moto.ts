/** moto for a test that needs nothing else of the test bed. */
import { type Moto, startMoto as start } from '../../scripts/testbed/moto.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'

/** @throws ToolUnavailableError when it is not there and cannot be installed */
export async function startMoto(): Promise<Moto & { close(): Promise<void> }> {
  const supervisor = await createSupervisor()
  try {
    return { ...(await start(supervisor)), close: () => supervisor.close() }
  } catch (error) {
    await supervisor.close()
    throw error
  }
}
