/** Names of files that mislead somebody: a person, git, another operating system. Pure. */

/** Folders and files of the layout; what looks like one of them and is not would be taken for it. */
const LAYOUT = ['clusters', 'control', 'databases', 'fleet.yaml', 'groups', 'requests'] as const
const PLAIN = /^[A-Za-z0-9._-]+$/
const DEVICE = /^(?:con|prn|aux|nul|conin\$|conout\$|(?:com|lpt)[0-9¹²³])(?:\.|$)/i
/** What the team's CI reads; it does not change what git does with files. */
const CI = /^\.git(?:ea|hub|lab)$|^\.gitlab-ci\.yml$/
/** Scripts whose letters are taken for one another; others are written together as languages do it. */
const SCRIPTS = [
  /\p{Script=Latin}/u,
  /\p{Script=Cyrillic}/u,
  /\p{Script=Greek}/u,
  /\p{Script=Armenian}/u,
  /\p{Script=Cherokee}/u,
  /\p{Script=Coptic}/u,
  /\p{Script=Georgian}/u,
  /\p{Script=Hebrew}/u,
  /\p{Script=Arabic}/u,
] as const

/** Letters of one script that look like those of another, folded to lower case before. */
const LOOK_ALIKES: Readonly<Record<string, string>> = {
  ...letters('аеорсухіјѕԁһԛԝѵкмтвнгӏү', 'aeopcyxijsdhqwvkmtbhrly'),
  ...letters('αονρυικγτχϲϳεβηωσ', 'aovpuikytxcjebnwo'),
  ...letters('օհոսցզɡɩı', 'ohnugqgii'),
}

function letters(from: string, to: string): Readonly<Record<string, string>> {
  return Object.fromEntries([...from].map((letter, at) => [letter, to[at] ?? letter]))
}

/** What is wrong with one name of a path, and what would be right; undefined: nothing. */
export function nameProblem(name: string): string | undefined {
  if (name === '' || name === '.' || name === '..')
    return `a name of the path is ${JSON.stringify(name)}; git must be told the path without it`
  if (/[/\\]/.test(name)) return 'a name holds a slash or backslash; rename it'
  const odd = /[\p{Cc}\u2028\u2029]/u.exec(name)
  if (odd !== null) return `the name holds the control character ${codePoint(odd[0])}; rename it`
  const hidden = /[\p{Bidi_Control}\p{Default_Ignorable_Code_Point}\u{E0000}-\u{E0FFF}]/u.exec(name)
  if (hidden !== null) return `the name holds the invisible character ${codePoint(hidden[0])}; rename it`
  const unknown = /[\p{C}\uFFFD]/u.exec(name)
  if (unknown !== null) return `the name holds ${codePoint(unknown[0])}, which is no letter; rename it`
  if (isGitFile(name))
    return 'git itself, or what people use with it, reads files of such a name; commit it to main without a pull request if it is meant'
  if (/^[ ]|[ .]$/.test(name)) return 'the name begins with a space, or ends in a space or dot; rename it'
  if (/[<>:"|?*]/.test(name) || DEVICE.test(name)) return 'Windows cannot have a file of this name; rename it'
  if (name.normalize('NFKC') !== name || /[^\P{Z} ]/u.test(name))
    return `the name is written with characters that look like others; write it as ${JSON.stringify(name.normalize('NFKC'))}`
  const scripts = SCRIPTS.filter((script) => script.test(name))
  if (scripts.length > 1)
    return 'the name mixes letters of several scripts that look alike; write it with letters of one'
  return undefined
}

/** What is wrong with a path beside its single names. */
export function pathProblem(path: string): string | undefined {
  const names = path.split('/')
  const [top = ''] = names
  const taken =
    names.length > 1 ? undefined : LAYOUT.find((name) => name !== top && clashKey(name) === clashKey(top))
  if (taken !== undefined) return `${top} is easily taken for ${taken}, which Fleetwright reads; rename it`
  const isManaged = LAYOUT.some((name) => name === top)
  if (!isManaged || names.every((name) => PLAIN.test(name))) return undefined
  return `names below ${top} are of the letters a to z, digits, dots and hyphens; rename it`
}

/** Equal for names that people, or a file system that folds case or accents, take for one another. */
export function clashKey(name: string): string {
  const folded = name.normalize('NFKD').replaceAll(/\p{Default_Ignorable_Code_Point}/gu, '')
  const lower = folded.toUpperCase().toLowerCase()
  return [...lower]
    .map((letter) => LOOK_ALIKES[letter] ?? letter)
    .join('')
    .replace(/[ .]+$/, '')
}

/** Names that git treats in its own way, as the file systems know them too. */
export function isGitFile(name: string): boolean {
  if (CI.test(name)) return false
  return /^\.git/i.test(name) || /^git~\d+$/i.test(name)
}

function codePoint(character: string): string {
  return `U+${(character.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}`
}
