/** A mirror that native git pushes to. */
import { FleetError } from '../fleet/errors.ts'
import type { RefName } from '../fleet/ids.ts'
import type { Mirror } from '../ports/mirror.ts'
import { runGit } from './child-process.ts'
import type { NativeAccess } from './contracts.ts'
import { readTips } from './ref-transactions.ts'
import { plain } from './remote/words.ts'

const ALONE: readonly RefName[] = ['refs/heads/main' as RefName, 'refs/heads/control' as RefName]
const BELOW = ['refs/heads/cluster/', 'refs/heads/shard/'] as const
const MOST_REJECTIONS_TOLD = 3

export interface GitMirrorOptions {
  /** Bare repository that has what is mirrored. */
  readonly directory: string
  readonly access: NativeAccess
  readonly close: () => Promise<void>
}

export function createGitMirror({ directory, access, close }: GitMirrorOptions): Mirror {
  return {
    name: access.url,
    async push(signal) {
      const specs = await refspecs(directory)
      if (specs.length === 0) return
      const { code, output, words } = await runGit(['push', '--porcelain', access.url, ...specs], {
        directory,
        environment: await access.environment(),
        signal,
      })
      if (code !== 0) throw failureOf(access, output.toString('utf8'), words)
    },
    close,
  }
}

/** Without a `+`: a mirror that has something else is not overwritten. */
async function refspecs(directory: string): Promise<readonly string[]> {
  const refs = [...(await readTips(directory)).keys()]
  return [
    ...ALONE.filter((ref) => refs.includes(ref)).map((ref) => `${ref}:${ref}`),
    ...BELOW.filter((prefix) => refs.some((ref) => ref.startsWith(prefix))).map(
      (prefix) => `${prefix}*:${prefix}*`,
    ),
  ]
}

function failureOf(access: NativeAccess, output: string, words: string): FleetError {
  // `!`, a tab, `from:to`, a tab, why.
  const rejections = output.split('\n').flatMap((line) => {
    const [flag, refs = '', why = ''] = line.split('\t')
    return flag === '!' ? [`${refs.split(':')[1] ?? refs} ${why}`] : []
  })
  if (rejections.length === 0)
    return (
      access.failure(words) ??
      new FleetError('remote-unavailable', `git cannot push to ${access.url}: ${access.redact(plain(words))}`)
    )
  const told = rejections.slice(0, MOST_REJECTIONS_TOLD).join('; ')
  const more =
    rejections.length > MOST_REJECTIONS_TOLD ? ` and ${rejections.length - MOST_REJECTIONS_TOLD} more` : ''
  return new FleetError(
    'remote-refused',
    `${access.url} does not take ${access.redact(plain(told))}${more}. Nothing there is overwritten: when it holds something that the fleet repository does not, move that away.`,
  )
}
