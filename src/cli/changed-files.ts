/** How changed files are shown in a terminal. */
import type { ChangedFile } from '../fleet/review/plan.ts'
import { counted } from '../fleet/counted.ts'
import type { Terminal } from './terminal.ts'

const SIGNS = { added: '+', changed: '~', removed: '-' } as const

/** A cluster alone has dozens of files; `--json` and `--patch` show all. */
const MOST = 12

/** One line a file, below its folder: paths of the fleet repository are long. */
export function showFiles(terminal: Terminal, files: readonly ChangedFile[], margin: string): void {
  const { dim, green, red, yellow } = terminal.colors
  const paint = { added: green, changed: yellow, removed: red }
  const folders = Map.groupBy(files.slice(0, MOST), ({ path }) => path.slice(0, path.lastIndexOf('/') + 1))
  const nameOf = ({ path }: ChangedFile): string => path.slice(path.lastIndexOf('/') + 1)
  for (const [folder, inside] of folders) {
    const width = Math.max(...inside.map((file) => nameOf(file).length))
    if (folder !== '') terminal.line(`${margin}${dim(folder)}`)
    for (const file of inside) {
      const { change, added, removed } = file
      const count = [added > 0 ? `+${added}` : '', removed > 0 ? `-${removed}` : ''].filter(Boolean).join(' ')
      terminal.line(
        `${margin}  ${paint[change](`${SIGNS[change]} ${nameOf(file).padEnd(width)}`)}  ${dim(count)}`.trimEnd(),
      )
    }
  }
  if (files.length > MOST)
    terminal.line(`${margin}${dim(`and ${counted(files.length - MOST, 'file')} more`)}`)
}

/** A diff with its lines coloured as git does it. */
export function showDiff(terminal: Terminal, diff: string): void {
  const { bold, cyan, green, red } = terminal.colors
  for (const line of diff.replace(/\n$/, '').split('\n')) {
    if (/^(?:diff --git|---|\+\+\+|index|new file|deleted file) ?/.test(line)) terminal.line(bold(line))
    else if (line.startsWith('@@')) terminal.line(cyan(line))
    else if (line.startsWith('+')) terminal.line(green(line))
    else terminal.line(line.startsWith('-') ? red(line) : line)
  }
}
