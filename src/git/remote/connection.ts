/** Git's protocol as far as a home needs it: list the branches, push exactly these objects. */
import { FleetError } from '../../fleet/errors.ts'
import { isObjectId, type ObjectId, type RefName } from '../../fleet/ids.ts'
import type { RefUpdate } from '../contracts.ts'
import { DELIMITER, FLUSH, packetLine, readPacketLines } from './packet-lines.ts'
import { type PushReport, readReport } from './report.ts'
import type { GitTransport } from './transport.ts'

const NOTHING = '0'.repeat(40)
const HEADS = 'refs/heads/'
const AGENT = 'agent=fleetwright'

export interface RemoteRefs {
  readonly heads: ReadonlyMap<RefName, ObjectId>
  /** Where HEAD points, when the server says it and that branch is there. */
  readonly defaultBranch: RefName | undefined
}

export interface GitConnection {
  /** @throws FleetError `remote-unavailable`, `remote-denied` */
  list(): Promise<RemoteRefs>
  /**
   * One request: all refs or none. The server compares each old tip itself.
   * @throws FleetError `remote-unavailable`, `remote-denied`, `remote-refused`
   */
  push(updates: readonly RefUpdate[], pack: Buffer): Promise<PushReport>
}

/**
 * Asks the server what it can.
 * @throws FleetError `remote-unavailable`, `remote-denied`, `invalid-configuration` when it lacks what safe pushes need
 */
export async function connect(transport: GitTransport): Promise<GitConnection> {
  const reading = await transport.advertisement('git-upload-pack', 2)
  const writing = await transport.advertisement('git-receive-pack', 1)
  const capabilities = pushCapabilities(transport.url, writing.capabilities)
  const listsOnly = reading.protocolVersion === 2 && reading.capabilities.has('ls-refs')
  return {
    list: async () => (listsOnly ? await listRefs(transport) : await advertisedRefs(transport)),
    async push(updates, pack) {
      const commands = updates.map(({ ref, expected, next }, at) =>
        packetLine(`${expected ?? NOTHING} ${next} ${ref}${at === 0 ? `\0${capabilities}` : ''}`),
      )
      const body = await transport.exchange('git-receive-pack', 1, [...commands, FLUSH, pack])
      return readReport(body, updates)
    },
  }
}

function pushCapabilities(url: string, offered: ReadonlySet<string>): string {
  for (const needed of ['atomic', 'report-status', 'side-band-64k']) {
    if (offered.has(needed)) continue
    throw new FleetError(
      'invalid-configuration',
      `${url} does not offer ${needed}, without which several refs cannot be pushed safely; use a git server that does.`,
    )
  }
  const format = [...offered].find((capability) => capability.startsWith('object-format='))
  if (format !== undefined && format !== 'object-format=sha1')
    throw new FleetError(
      'invalid-configuration',
      `${url} has ${format}; Fleetwright works on repositories with object-format=sha1.`,
    )
  const status = offered.has('report-status-v2') ? 'report-status-v2' : 'report-status'
  const quiet = offered.has('quiet') ? ['quiet'] : []
  return [status, 'side-band-64k', 'atomic', ...quiet, ...(format === undefined ? [] : [format]), AGENT].join(
    ' ',
  )
}

/** Protocol version 2 sends the branches only, whatever tags and pull requests a repository has. */
async function listRefs(transport: GitTransport): Promise<RemoteRefs> {
  const request = [
    packetLine('command=ls-refs\n'),
    packetLine(`${AGENT}\n`),
    DELIMITER,
    packetLine('symrefs\n'),
    packetLine('ref-prefix HEAD\n'),
    packetLine(`ref-prefix ${HEADS}\n`),
    FLUSH,
  ]
  const body = await transport.exchange('git-upload-pack', 2, request)
  const { lines, whole } = readPacketLines(body)
  if (!whole)
    throw new FleetError('remote-unavailable', 'The list of branches of the fleet repository breaks off.')
  const refs = new Map<string, string>()
  let head: string | undefined
  for (const line of lines) {
    const [oid = '', ref = '', ...attributes] = line.toString('utf8').trimEnd().split(' ')
    refs.set(ref, oid)
    if (ref === 'HEAD')
      head = attributes.find((text) => text.startsWith('symref-target:'))?.slice('symref-target:'.length)
  }
  return remoteRefs(refs, head)
}

async function advertisedRefs(transport: GitTransport): Promise<RemoteRefs> {
  const { refs, symrefs } = await transport.advertisement('git-upload-pack', 1)
  return remoteRefs(refs, symrefs.get('HEAD'))
}

function remoteRefs(refs: ReadonlyMap<string, string>, head: string | undefined): RemoteRefs {
  const heads = new Map<RefName, ObjectId>()
  for (const [ref, oid] of refs) {
    if (ref.startsWith(HEADS) && !ref.endsWith('^{}') && isObjectId(oid)) heads.set(ref as RefName, oid)
  }
  const branch = [...heads.keys()].find((ref) => ref === head)
  return { heads, defaultBranch: branch }
}
