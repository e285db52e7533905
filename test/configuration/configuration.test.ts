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

test('a fleet URL holds no credentials, and nothing of it is in the error', async (t) => {
  const bad: Readonly<Record<string, RegExp>> = {
    'https://ada:secret-1@git.example.com/fleet.git':
      /must not hold a user name or token.*--fleet-token-file/,
    'https://secret-1@git.example.com/fleet.git': /must not hold a user name or token/,
    'ssh://git:secret-1@git.example.com/fleet.git': /must not hold a password.*--fleet-ssh-key-file/,
    'ssh://-oProxyCommand=secret-1@git.example.com/fleet.git': /must have a user of/,
    'ssh://git@git.example.com/$(secret-1).git': /must have a path of/,
    'ftp://git.example.com/secret-1.git': /a URL of http, https or ssh/,
    'https://git.example.com/fleet.git?token=secret-1': /must end with the path/,
  }
  for (const [fleet, message] of Object.entries(bad)) {
    const read = (): unknown => readConfiguration({ flags: { fleet }, environment: {} })
    t.throws(read, { code: 'invalid-configuration', message })
    try {
      read()
    } catch (error) {
      t.notMatch(error instanceof Error ? error.message : '', /secret-1/)
    }
  }
  for (const fleet of [
    '/srv/fleet.git',
    'fleet.git',
    'http://127.0.0.1:3000/team/fleet',
    'https://git.example.com/fleet.git',
    'ssh://git@git.example.com:2222/team/fleet.git',
    'git@git.example.com:team/fleet.git',
  ])
    t.equal(readConfiguration({ flags: { fleet }, environment: {} }).fleet, fleet)
})
