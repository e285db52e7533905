/** Git's smart HTTP as far as a home needs it: list the branches, push exactly these objects. */
import { GitRemoteHTTP } from 'isomorphic-git/managers'
import { FleetError, isFleetError } from '../../fleet/errors.ts'
import { isObjectId, type ObjectId, type RefName } from '../../fleet/ids.ts'
import type { RefUpdate } from '../contracts.ts'
import { notGit } from './failures.ts'
import type { GitHttpClient } from './http-client.ts'
import { DELIMITER, FLUSH, packetLine, readPacketLines } from './packet-lines.ts'
import { type PushReport, readReport } from './report.ts'

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
  close(): void
}

type Service = 'git-upload-pack' | 'git-receive-pack'

/**
 * Asks the server what it can.
 * @throws FleetError `remote-unavailable`, `remote-denied`, `invalid-configuration` when it lacks what safe pushes need
 */
export async function connect(url: string, http: GitHttpClient): Promise<GitConnection> {
  const reading = await discover(url, http, 'git-upload-pack', 2)
  const writing = await discover(url, http, 'git-receive-pack', 1)
  const capabilities = pushCapabilities(url, writing.capabilities)
  const listsOnly = reading.protocolVersion === 2 && 'ls-refs' in reading.capabilities2
  return {
    list: async () => (listsOnly ? await listRefs(url, http) : await advertisedRefs(url, http)),
    async push(updates, pack) {
      const commands = updates.map(({ ref, expected, next }, at) =>
        packetLine(`${expected ?? NOTHING} ${next} ${ref}${at === 0 ? `\0${capabilities}` : ''}`),
      )
      const body = await post(url, http, 'git-receive-pack', [...commands, FLUSH, pack])
      return readReport(body, updates)
    },
    close: () => http.close(),
  }
}

interface Discovered {
  readonly protocolVersion: number
  /** Version 1. */
  readonly capabilities: ReadonlySet<string>
  readonly refs: ReadonlyMap<string, string>
  readonly symrefs: ReadonlyMap<string, string>
  /** Version 2. */
  readonly capabilities2: Readonly<Record<string, unknown>>
}

async function discover(
  url: string,
  http: GitHttpClient,
  service: Service,
  protocolVersion: 1 | 2,
): Promise<Discovered> {
  try {
    const found = await GitRemoteHTTP.discover({ http, url, service, headers: {}, protocolVersion })
    return {
      protocolVersion: found.protocolVersion,
      capabilities: found.capabilities ?? new Set(),
      refs: found.refs ?? new Map(),
      symrefs: found.symrefs ?? new Map(),
      capabilities2: found.capabilities2 ?? {},
    }
  } catch (error) {
    throw isFleetError(error) ? error : notGit(url)
  }
}

async function post(
  url: string,
  http: GitHttpClient,
  service: Service,
  body: readonly Buffer[],
  headers: Readonly<Record<string, string>> = {},
): Promise<Buffer> {
  const answer = await GitRemoteHTTP.connect({ http, url, service, headers: { ...headers }, body, auth: {} })
  if (answer.headers?.['content-type'] !== `application/x-${service}-result`) throw notGit(url)
  const chunks: Uint8Array[] = []
  for await (const chunk of answer.body ?? []) chunks.push(chunk)
  return Buffer.concat(chunks)
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
async function listRefs(url: string, http: GitHttpClient): Promise<RemoteRefs> {
  const request = [
    packetLine('command=ls-refs\n'),
    packetLine(`${AGENT}\n`),
    DELIMITER,
    packetLine('symrefs\n'),
    packetLine('ref-prefix HEAD\n'),
    packetLine(`ref-prefix ${HEADS}\n`),
    FLUSH,
  ]
  const body = await post(url, http, 'git-upload-pack', request, { 'Git-Protocol': 'version=2' })
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

async function advertisedRefs(url: string, http: GitHttpClient): Promise<RemoteRefs> {
  const { refs, symrefs } = await discover(url, http, 'git-upload-pack', 1)
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
