/** A kubeconfig, as far as it is safe: no program of it is run, no file of it is read, TLS is always checked. */
import type { KubeConfig } from '@kubernetes/client-node'
import { FleetError } from '../fleet/errors.ts'
import type { Endpoint } from '../ports/clusters.ts'

/**
 * @param text YAML or JSON
 * @throws FleetError `credentials-invalid` saying what is wrong; never a value of it
 */
export async function endpointOf(text: string): Promise<Endpoint> {
  const config = await parse(text)
  const cluster = config.getCurrentCluster()
  const user = config.getCurrentUser()
  if (cluster === null) throw invalid('its current-context names no cluster; set current-context')
  if (user === null) throw invalid('its current-context names no user; set current-context')
  if (cluster.skipTLSVerify)
    throw invalid('it says insecure-skip-tls-verify; give certificate-authority-data instead')
  if (cluster.caFile !== undefined || user.certFile !== undefined || user.keyFile !== undefined)
    throw invalid('it refers to files; put their contents in (kubectl config view --flatten)')
  if (user.exec !== undefined || user.authProvider !== undefined)
    throw invalid('it logs in through a program; give a token or a client certificate')
  if (user.username !== undefined)
    throw invalid('it logs in with a password; give a token or a client certificate')
  if (user.token === undefined && user.certData === undefined)
    throw invalid('its user has neither a token nor a client certificate')
  return {
    url: urlOf(cluster.server),
    certificateAuthority: decoded(cluster.caData),
    serverName: cluster.tlsServerName,
    clientCertificate: decoded(user.certData),
    clientKey: decoded(user.keyData),
    token: async () => user.token,
  }
}

async function parse(text: string): Promise<KubeConfig> {
  // The package takes a second to load: only who has a cluster pays for it.
  const { KubeConfig: Config } = await import('@kubernetes/client-node')
  const config = new Config()
  try {
    config.loadFromString(text)
  } catch {
    // The parser's message may quote a line of the file, and a line may be a token.
    throw invalid('it is no kubeconfig in YAML or JSON')
  }
  return config
}

function urlOf(server: string): URL {
  const url = URL.canParse(server) ? new URL(server) : undefined
  if (url?.protocol === 'https:') return url
  throw invalid('its server must be an https URL')
}

function decoded(base64: string | undefined): string | undefined {
  return base64 === undefined ? undefined : Buffer.from(base64, 'base64').toString('utf8')
}

function invalid(what: string): FleetError {
  return new FleetError('credentials-invalid', `The kubeconfig cannot be used: ${what}`)
}
