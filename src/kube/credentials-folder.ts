/** Kubeconfigs in a folder, one file a cluster; a file that changes is noticed without a restart. */
import { type FSWatcher, type Stats, watch } from 'node:fs'
import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FleetError } from '../fleet/errors.ts'
import { type ClusterName, CONTROL_CLUSTER, type CredentialSource } from '../ports/clusters.ts'

const LARGEST_FILE = 1024 * 1024
/** File of the control cluster. */
const CONTROL_FILE = 'control'
/** Version of a file that is not there. */
const ABSENT = 'absent'

export interface CredentialsFolderOptions {
  readonly folder: string
  /** Name of the file of a cluster, as its document says; undefined: named like the cluster. */
  readonly fileOf: (cluster: ClusterName) => string | undefined
  /** Clusters to tell about when something in the folder changes. */
  readonly clusters: () => Iterable<ClusterName>
}

export async function openCredentialsFolder(options: CredentialsFolderOptions): Promise<CredentialSource> {
  const { folder, fileOf, clusters } = options
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const listeners = new Set<(cluster: ClusterName) => void>()
  function pathOf(cluster: ClusterName): string {
    const name = cluster === CONTROL_CLUSTER ? CONTROL_FILE : (fileOf(cluster) ?? cluster)
    // Names of secrets come from requests: none may lead out of the folder.
    if (!/^[A-Za-z0-9][A-Za-z0-9._-]{0,252}$/.test(name))
      throw new FleetError(
        'credentials-missing',
        `There is no kubeconfig in ${folder}: ${JSON.stringify(name)} cannot be the name of a file`,
      )
    return join(folder, name)
  }
  /** What was given out last: a file that stays as it is tears no connection. */
  const given = new Map<ClusterName, string>()
  async function versionOf(cluster: ClusterName): Promise<string> {
    try {
      return versionIn(await stat(pathOf(cluster)))
    } catch {
      return ABSENT
    }
  }
  const watcher = follow(folder, async () => {
    for (const cluster of [CONTROL_CLUSTER, ...clusters()]) {
      const before = given.get(cluster)
      if (before === undefined || before === (await versionOf(cluster))) continue
      for (const listener of listeners) listener(cluster)
    }
  })
  return {
    async read(cluster) {
      const path = pathOf(cluster)
      const found = await stat(path).catch((cause: unknown) => {
        given.set(cluster, ABSENT)
        throw new FleetError(
          'credentials-missing',
          `There is no kubeconfig ${path}; put one there`,
          {},
          { cause },
        )
      })
      given.set(cluster, versionIn(found))
      if (!found.isFile() || found.size > LARGEST_FILE)
        throw new FleetError('credentials-invalid', `${path} is no file of at most ${LARGEST_FILE} bytes`)
      return { source: 'kubeconfig', text: await readFile(path, 'utf8'), version: versionIn(found) }
    },
    onChange(listener) {
      listeners.add(listener)
      return () => listeners.delete(listener)
    },
    close: async () => watcher.close(),
  }
}

function versionIn({ mtimeMs, size, ino }: Stats): string {
  return `${mtimeMs}-${size}-${ino}`
}

/** Many changes at once are one: a file is often written in parts. */
function follow(folder: string, onChange: () => Promise<void>): Pick<FSWatcher, 'close'> {
  let timer: NodeJS.Timeout | undefined
  const watcher = watch(folder, () => {
    clearTimeout(timer)
    // It asks for versions only, and what fails there counts as absent.
    timer = setTimeout(() => void onChange(), 100)
    timer.unref()
  })
  watcher.unref()
  return {
    close() {
      clearTimeout(timer)
      watcher.close()
    },
  }
}
