/** Secrets in which Argo CD keeps clusters (`name`, `server`, `config`), read as what they say of the access. */
import { FleetError } from '../fleet/errors.ts'
import { isJsonObject, objectAt, textAt } from '../fleet/observed/json.ts'
import type { JsonObject } from '../fleet/intents.ts'

export type ArgoCdAccess =
  | { readonly kubeconfig: string }
  | { readonly eks: { readonly clusterName: string; readonly roleArn?: string } }

/** @throws FleetError `credentials-invalid` saying what is wrong; never a value of it */
export function argoCdAccess(server: string, config: string): ArgoCdAccess {
  const parsed = parse(config)
  const aws = objectAt(parsed, 'awsAuthConfig')
  const clusterName = textAt(aws, 'clusterName')
  const roleArn = textAt(aws, 'roleARN')
  if (clusterName !== undefined)
    return { eks: { clusterName, ...(roleArn === undefined ? {} : { roleArn }) } }
  if (parsed.execProviderConfig !== undefined)
    throw invalid('it logs in through a program; give a bearerToken or a client certificate')
  const tls = objectAt(parsed, 'tlsClientConfig')
  const name = 'cluster'
  return {
    kubeconfig: JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': name,
      contexts: [{ name, context: { cluster: name, user: name } }],
      clusters: [
        {
          name,
          cluster: {
            server,
            'certificate-authority-data': textAt(tls, 'caData'),
            'tls-server-name': textAt(tls, 'serverName'),
            'insecure-skip-tls-verify': tls?.insecure === true,
          },
        },
      ],
      users: [
        {
          name,
          user: {
            token: textAt(parsed, 'bearerToken'),
            username: textAt(parsed, 'username'),
            'client-certificate-data': textAt(tls, 'certData'),
            'client-key-data': textAt(tls, 'keyData'),
          },
        },
      ],
    }),
  }
}

function parse(config: string): JsonObject {
  try {
    const parsed: unknown = JSON.parse(config)
    if (isJsonObject(parsed)) return parsed
  } catch {
    // The parser's message may quote the text, and the text may be a token.
  }
  throw invalid('its config is no JSON object')
}

function invalid(what: string): FleetError {
  return new FleetError('credentials-invalid', `The cluster Secret of Argo CD cannot be used: ${what}`)
}
