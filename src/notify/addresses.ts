/** Addresses that no event is sent to: link-local ones, among them the metadata services of clouds, and none at all. */
import { lookup } from 'node:dns'
import { BlockList, isIPv6, type LookupFunction } from 'node:net'

const FORBIDDEN = new BlockList()
FORBIDDEN.addSubnet('169.254.0.0', 16, 'ipv4')
FORBIDDEN.addSubnet('0.0.0.0', 8, 'ipv4')
FORBIDDEN.addSubnet('224.0.0.0', 4, 'ipv4')
FORBIDDEN.addAddress('100.100.100.200', 'ipv4')
FORBIDDEN.addAddress('192.0.0.192', 'ipv4')
FORBIDDEN.addAddress('::', 'ipv6')
FORBIDDEN.addSubnet('fe80::', 10, 'ipv6')
FORBIDDEN.addSubnet('ff00::', 8, 'ipv6')
FORBIDDEN.addAddress('fd00:ec2::254', 'ipv6')

export function isForbiddenAddress(address: string): boolean {
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1]
  if (mapped !== undefined) return FORBIDDEN.check(mapped, 'ipv4')
  return FORBIDDEN.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

export class ForbiddenAddressError extends Error {
  override readonly name = 'ForbiddenAddressError'
}

/** Checks the addresses that are really connected to: a name that changes its mind gains nothing. */
export function guardedLookup(allowLinkLocal: boolean): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses) => {
      if (error !== null) return callback(error, [])
      const forbidden = allowLinkLocal
        ? undefined
        : addresses.find(({ address }) => isForbiddenAddress(address))
      if (forbidden !== undefined)
        return callback(
          new ForbiddenAddressError(`${hostname} is ${forbidden.address}, which is not allowed`),
          [],
        )
      const [first] = addresses
      if (options.all === true) return callback(null, addresses)
      callback(null, first?.address ?? '', first?.family)
    })
  }
}
