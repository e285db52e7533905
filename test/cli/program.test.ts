import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { test } from 'tap'
import { commandsMarkdown } from '../../src/cli/commands-markdown.ts'
import { SETTINGS } from '../../src/configuration/settings.ts'
import { fleetwright, ROOT, runHere } from '../support/command-line.ts'

const WRONG_USE: readonly (readonly [string, readonly string[], Readonly<Record<string, string>>, RegExp])[] =
  [
    ['no command', [], {}, /Usage: fleetwright/],
    ['an unknown command', ['validte'], {}, /unknown command 'validte'\n\(Did you mean validate\?\)/],
    [
      'an unknown flag',
      ['serve', '--lisen', 'x'],
      {},
      /unknown option '--lisen'\n\(Did you mean --listen\?\)/,
    ],
    ['an argument too many', ['validate', '.', 'x'], {}, /too many arguments/],
    ['a flag without its value', ['serve', '--data'], {}, /option '--data <folder>' argument missing/],
    ['a value that is none', ['serve', '--loops', 'some'], {}, /--loops must be one of all, none/],
    ['a secret as a flag', ['serve', '--admin-token', 'x'], {}, /unknown option '--admin-token'/],
    [
      'an unknown variable',
      ['serve'],
      { FLEETWRIGHT_LISEN: 'x' },
      /FLEETWRIGHT_LISEN is not a setting; did you mean FLEETWRIGHT_LISTEN\?/,
    ],
    [
      'a configuration file that is not there',
      ['serve', '--config', 'no.yaml'],
      {},
      /no\.yaml: there is no such file/,
    ],
    ['a folder that is not there', ['validate', 'nowhere'], {}, /nowhere: there is no such folder/],
    ['a folder without a fleet', ['validate', ROOT], {}, /fleet\.yaml is missing.*fleetwright init/],
  ]

for (const [what, args, environment, message] of WRONG_USE)
  test(`wrong use: ${what}`, async (t) => {
    const { code, stdout } = await runHere(args, environment)
    t.equal(code, 2)
    t.match(stdout, message)
    t.notMatch(stdout, /\n {4}at /, 'no stack')
  })

test('what is wrong goes to standard error, data to standard output', async (t) => {
  const wrong = await fleetwright(['serve', '--lisen', 'x'])
  t.match(wrong, {
    code: 2,
    stdout: '',
    stderr: /^fleetwright: unknown option '--lisen'\n\(Did you mean --listen\?\)/,
  })
  t.match(await fleetwright(['--version']), { code: 0, stdout: /^\d+\.\d+\.\d+\n$/, stderr: '' })
})

test('serve --help has every setting of the server that is no secret', async (t) => {
  const { code, stdout } = await runHere(['serve', '--help'])
  t.equal(code, 0)
  for (const setting of SETTINGS.filter((candidate) => !('of' in candidate)))
    t.equal(stdout.includes(`--${setting.key} `), !('secret' in setting), setting.key)
})

test('docs/commands.md is what --help says', async (t) => {
  t.equal(readFileSync(join(ROOT, 'docs/commands.md'), 'utf8'), commandsMarkdown(), 'npm run docs writes it')
})
