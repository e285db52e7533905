import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { readConfiguration } from '../../src/configuration/read.ts'
import { configurationMarkdown } from '../../src/configuration/settings.ts'

test('flags win over the environment, the environment over the file, the file over the default', async (t) => {
  const file = { path: 'c.yaml', text: 'data: from-file\nlisten: 127.0.0.1:1\nloops: none\n' }
  const found = readConfiguration({
    flags: { data: 'from-flag' },
    environment: { FLEETWRIGHT_DATA: 'from-env', FLEETWRIGHT_LISTEN: '127.0.0.1:2' },
    file,
  })
  t.match(found, { data: 'from-flag', listen: '127.0.0.1:2', loops: 'none', 'poll-seconds': '10' })
})

test('an unknown key is an error that names the nearest known one, with its place', async (t) => {
  const file = { path: 'c.yaml', text: 'data: a\nlistn: 127.0.0.1:1\n' }
  t.throws(() => readConfiguration({ flags: {}, environment: {}, file }), {
    code: 'invalid-configuration',
    message: 'c.yaml:2:1: listn is not a setting; did you mean listen?',
  })
  t.throws(() => readConfiguration({ flags: {}, environment: { FLEETWRIGHT_LOPS: 'none' } }), {
    message: 'FLEETWRIGHT_LOPS is not a setting; did you mean FLEETWRIGHT_LOOPS?',
  })
  t.throws(() => readConfiguration({ flags: { loops: 'some' }, environment: {} }), {
    message: '--loops must be one of all, none',
  })
})

test('docs/configuration.md is what the settings say', async (t) => {
  const path = join(import.meta.dirname, '../../docs/configuration.md')
  t.equal(readFileSync(path, 'utf8'), configurationMarkdown(), 'npm run docs writes it')
})
