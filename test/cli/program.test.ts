import { test } from 'tap'
import { SETTINGS } from '../../src/configuration/settings.ts'
import { fleetwright } from '../support/command-line.ts'

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
    ['a folder without a fleet', ['validate', '.'], {}, /fleet\.yaml is missing.*fleetwright init/],
  ]

for (const [what, args, environment, message] of WRONG_USE)
  test(`wrong use: ${what}`, async (t) => {
    const { code, stdout, stderr } = await fleetwright(args, { cwd: t.testdir({}), environment })
    t.equal(code, 2)
    t.match(stderr, message)
    t.equal(stdout, '')
    t.notMatch(stderr, /\n {4}at /, 'no stack')
  })

test('serve --help has every setting of the server that is no secret', async (t) => {
  const { code, stdout } = await fleetwright(['serve', '--help'])
  t.equal(code, 0)
  for (const setting of SETTINGS.filter((candidate) => !('of' in candidate)))
    t.equal(stdout.includes(`--${setting.key} `), !('secret' in setting), setting.key)
})
