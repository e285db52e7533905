/** A person who works on the fleet repository with native git. */
import { execFileSync } from 'node:child_process'
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'

/** What native git says of a bare repository. */
export function git(directory: string, ...args: string[]): string {
  return execFileSync('git', ['--git-dir', directory, ...args], { encoding: 'utf8' })
}

/** Commits files on top of main, and to main unless another branch is said, as a person with native git does; undefined: the file or folder goes. Returns the commit. */
export async function commitAs(
  directory: string,
  folder: string,
  files: Readonly<Record<string, string | undefined>>,
  message: string,
  branch = 'main',
): Promise<string> {
  const work = await mkdtemp(join(folder, 'work-'))
  const run = (...args: string[]): string =>
    execFileSync(
      'git',
      ['-C', work, '-c', 'user.name=Grace', '-c', 'user.email=grace@example.com', ...args],
      { encoding: 'utf8', stdio: 'pipe' },
    )
  execFileSync('git', ['clone', '--quiet', directory, work], { stdio: 'pipe' })
  for (const [name, text] of Object.entries(files)) {
    if (text === undefined) {
      await rm(join(work, name), { recursive: true })
      continue
    }
    await mkdir(dirname(join(work, name)), { recursive: true })
    await writeFile(join(work, name), text)
  }
  run('add', '-A')
  run('commit', '--quiet', '-m', message)
  run('push', '--quiet', 'origin', `HEAD:refs/heads/${branch}`)
  return run('rev-parse', 'HEAD').trim()
}
