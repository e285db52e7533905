import { test } from 'tap'
import { createDocuments } from '../../src/fleet/documents.ts'
import { FleetIndex } from '../../src/fleet/fleet-index.ts'
import type { Env } from '../../src/fleet/intents.ts'
import { clusterPath, FLEET_PATH, installationPath } from '../../src/fleet/paths.ts'
import { refuseViolations } from '../../src/fleet/rules/check.ts'
import { isSecretEnvName } from '../../src/fleet/secret-names.ts'
import { cluster, id, installation, settings } from '../support/intents.ts'

const SECRET = [
  'DB_PASSWORD',
  'API_KEY',
  'MM_SQLSETTINGS_DATASOURCE',
  'MM_EMAILSETTINGS_SMTPPASSWORD',
  'MM_FILESETTINGS_AMAZONS3SECRETACCESSKEY',
  'AWS_SECRET_ACCESS_KEY',
  'GITHUB_TOKEN',
  'github_token',
  'MM_LICENSE',
]
const CLEAR = [
  'MM_SERVICESETTINGS_SITEURL',
  'KEYBOARD',
  'TOKENS_PER_SECOND',
  'PASSWORDLESS_LOGIN',
  'MONKEY',
  'A',
]

test('names say what is secret, and the fleet adds its own', async (t) => {
  for (const name of SECRET) t.ok(isSecretEnvName(name), name)
  for (const name of CLEAR) t.notOk(isSecretEnvName(name), name)
  t.ok(isSecretEnvName('our_thing', ['OUR_.*']), 'without regard to case')
  t.notOk(isSecretEnvName('NOT_OUR_THING', ['OUR_.*']), 'the whole name')
})

function refusal(now: Env, before: Env | undefined): string | undefined {
  const fleet = new FleetIndex(settings({ secretEnvNames: ['OUR_.*'] }))
  fleet.apply([{ path: clusterPath('prod-1'), before: undefined, after: cluster('prod-1', 900) }])
  const path = installationPath('prod-1', id(1))
  const made = (env: Env): ReturnType<typeof installation> =>
    installation('acme', 1, { placement: { cluster: 'prod-1' }, env })
  const change = { path, before: before === undefined ? undefined : made(before), after: made(now) }
  try {
    refuseViolations(fleet, [change])
    return undefined
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : 'none'
  }
}

test('what the fleet calls secret does not come into git in clear', async (t) => {
  t.equal(refusal({ OUR_THING: { value: 'x' } }, undefined), 'secret-in-git')
  t.equal(refusal({ OUR_THING: { value: 'y' } }, { OUR_THING: { value: 'x' } }), 'secret-in-git')
  t.equal(refusal({ OUR_THING: { secret: { key: 'k' } } }, undefined), undefined)
  t.equal(refusal({ OTHER: { value: 'x' } }, undefined), undefined)
})

test('what was in clear before the list grew does not stop other changes', async (t) => {
  const old = { OUR_THING: { value: 'x' } }
  t.equal(refusal({ ...old, A: { value: '1' } }, old), undefined)
  t.equal(refusal({ A_PASSWORD: { value: 'x' } }, { A_PASSWORD: { value: 'x' } }), 'secret-in-git')
})

test('a pattern that is none is an error of fleet.yaml with its place', async (t) => {
  const documents = createDocuments()
  const text = documents.emit(settings({ secretEnvNames: ['FINE_.*', '('] }))
  const { intent, problems } = documents.parse(FLEET_PATH, text)
  t.equal(intent, undefined)
  t.match(problems, [{ pointer: '/spec/secretEnvNames/1', detail: /not a regular expression/, line: Number }])
  t.ok((problems[0]?.line ?? 0) > 1)
})
