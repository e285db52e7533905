/** Which environment variables hold secrets, by their names. */

/** Parts of names that mark a secret, as words between underscores (Mattermost's own settings included). */
const SECRET_WORDS =
  /(?:^|_)(?:PASSWORD|PASSWD|PASSPHRASE|SECRET|TOKEN|CREDENTIALS?|APIKEY|LICENSE|LICENCE|SALT|DSN)(?:_|$)|(?:^|_)(?:PRIVATE|ACCESS|SECRET|API|ENCRYPT(?:ION)?|REST|SIGNING|SECRETACCESS|ATREST|ATRESTENCRYPT)_?KEY(?:_|$)|(?:PASSWORD|SECRET|TOKEN|SALT|ENCRYPTKEY|SECRETACCESSKEY|PRIVATEKEY)$|DATASOURCE(?:REPLICAS|SEARCHREPLICAS)?$/i

/**
 * @param extra regular expressions of the fleet's settings, each for the whole name, without regard to case
 */
export function isSecretEnvName(name: string, extra: readonly string[] = []): boolean {
  return SECRET_WORDS.test(name) || extra.some((pattern) => new RegExp(`^(?:${pattern})$`, 'i').test(name))
}

const SECRET_HEADER = /auth|token|secret|cookie|password|signature|credential|(?:^|-)(?:api-?)?key(?:$|-)/i

/** Headers whose values are secret, by their names. */
export function isSecretHeaderName(name: string): boolean {
  return SECRET_HEADER.test(name)
}

/** What is wrong with a pattern of the fleet's settings; undefined: nothing. */
export function secretPatternProblem(pattern: string): string | undefined {
  try {
    new RegExp(`^(?:${pattern})$`, 'i')
    return undefined
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    return `${JSON.stringify(pattern)} is not a regular expression; write one such as OUR_.*`
  }
}
