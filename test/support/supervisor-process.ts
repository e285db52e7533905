/** Starts two processes under a supervisor, says which, and waits to be killed. */
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'

const supervisor = await createSupervisor(500)
// The shell starts a child of its own, which must end as well.
const shell = await supervisor.start({
  name: 'shell',
  command: '/bin/sh',
  args: ['-c', 'sleep 300 & echo $!; wait'],
})
const deaf = await supervisor.start({
  name: 'deaf',
  command: '/bin/sh',
  args: ['-c', 'trap "" TERM; while :; do sleep 0.2; done'],
})
process.stdout.write(
  `${JSON.stringify({ folder: supervisor.folder, log: shell.logPath, ids: [shell.id, deaf.id] })}\n`,
)
setInterval(() => undefined, 60_000)
