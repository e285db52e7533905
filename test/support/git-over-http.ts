/** A bare repository over HTTP on loopback, with a login, and commits made in it directly. */
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { git } from '../../src/git/child-process.ts'
import { createGitHttpHandler } from '../../src/git/http-server.ts'

const AUTHOR = {
  GIT_AUTHOR_NAME: 'Tester',
  GIT_AUTHOR_EMAIL: 'tester@fleetwright.invalid',
  GIT_COMMITTER_NAME: 'Tester',
  GIT_COMMITTER_EMAIL: 'tester@fleetwright.invalid',
}

export interface GitOverHttp {
  readonly url: string
  readonly login: { readonly username: string; readonly password: string }
  /** Makes the ref a commit with exactly these files. @returns the commit */
  commit(ref: string, files: Readonly<Record<string, string>>): Promise<string>
  close(): Promise<void>
}

export async function serveGit(): Promise<GitOverHttp> {
  const folder = await mkdtemp(join(tmpdir(), 'fleetwright-git-'))
  const directory = join(folder, 'fleet.git')
  await git(['init', '--quiet', '--bare', '--initial-branch=main', directory])
  const login = { username: 'fleet', password: 'for-tests-only' }
  const basic = `Basic ${Buffer.from(`${login.username}:${login.password}`).toString('base64')}`
  const handler = createGitHttpHandler(directory)
  const server = createServer((request, response) => {
    if (request.headers.authorization !== basic)
      response.writeHead(401, { 'WWW-Authenticate': 'Basic realm="fleet"' }).end()
    else void handler(request, response, (request.url ?? '').replace('/fleet.git', ''))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('a TCP server without a port')
  const run = async (args: readonly string[], input = ''): Promise<string> => {
    const environment = { ...AUTHOR, GIT_INDEX_FILE: join(folder, 'index') }
    return (await git(args, { directory, input, environment })).toString('utf8').trim()
  }
  return {
    url: `http://127.0.0.1:${address.port}/fleet.git`,
    login,
    async commit(ref, files) {
      await run(['read-tree', '--empty'])
      for (const [path, text] of Object.entries(files)) {
        const blob = await run(['hash-object', '-w', '--stdin'], text)
        await run(['update-index', '--add', '--cacheinfo', `100644,${blob},${path}`])
      }
      const commit = await run(['commit-tree', await run(['write-tree']), '-m', 'Change files'])
      await run(['update-ref', ref, commit])
      return commit
    },
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
      await rm(folder, { recursive: true, force: true })
    },
  }
}
