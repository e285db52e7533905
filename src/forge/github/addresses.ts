/** Where the API of a GitHub is, by the address that people know. */

/** @param server `https://github.com`, `https://github.example.com` (GitHub Enterprise Server), `https://acme.ghe.com` */
export function apiOf(server: string): string {
  const { protocol, host, origin } = new URL(server)
  if (host === 'github.com' || host.endsWith('.ghe.com')) return `${protocol}//api.${host}`
  return `${origin}/api/v3`
}
