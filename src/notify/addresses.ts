/** Addresses that no event is sent to: link-local ones, among them the metadata services of clouds, and none at all. */
import { BlockList, isIPv6 } from 'node:net'

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
