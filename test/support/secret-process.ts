/**
 * A server that creates installations with licences as fast as it can and prints the id of each one that was acknowledged.
 * To be killed. With `stop-after-put` it stores a value, prints the key, and never comes to the commit.
 */
import { Registry } from 'prom-client'
import { createApiServer } from '../../src/api/server.ts'
import { composeServer } from '../../src/cli/compose.ts'
import { readConfiguration } from '../../src/configuration/read.ts'
import { send } from './api.ts'
import { TOKEN } from './server.ts'

const [data = '', tag = '', mode = ''] = process.argv.slice(2)
const environment = { FLEETWRIGHT_ADMIN_TOKEN: TOKEN }
const flags = { data, loops: 'none', 'log-level': 'silent' }
const { parts } = await composeServer(readConfiguration({ flags, environment }), '0.0.0')
const secrets: typeof parts.secrets = {
  ...parts.secrets,
  async put(key, value) {
    await parts.secrets.put(key, value)
    process.stdout.write(`${key}\n`)
    await new Promise(() => undefined)
  },
}
const stopping = mode === 'stop-after-put' ? { secrets } : {}
const api = createApiServer({ ...parts, ...stopping, registry: new Registry() })
const { url } = await api.listen({ host: '127.0.0.1', port: 0 })
process.stdout.write('ready\n')
let next = 0
async function work(): Promise<void> {
  for (;;) {
    const name = `${tag}-${next}`
    next += 1
    const body = {
      OwnerID: 'owner',
      Name: name,
      DNSNames: [`${name}.example.com`],
      Database: 'cloudnative-pg',
      Filestore: 'local-ephemeral',
      License: `licence-of-${name}`,
      MattermostEnv: { SOME_PASSWORD: { value: `password-of-${name}` } },
    }
    const reply = await send(url, 'POST', '/api/installations', { body })
    if (reply.status !== 202) throw new Error(`${reply.status}: ${reply.text}`)
    process.stdout.write(`${reply.body.ID}\n`)
  }
}
await Promise.all(Array.from({ length: 6 }, work))
