/** Patterns of the change policy. */

/** Whether a text is as a pattern says, in which `*` stands for anything; in time that grows with both. */
export function matches(pattern: string, text: string): boolean {
  const [first = '', ...rest] = pattern.split('*')
  if (rest.length === 0) return pattern === text
  const last = rest.pop() ?? ''
  if (!text.startsWith(first) || text.length < first.length + last.length || !text.endsWith(last))
    return false
  let at = first.length
  const end = text.length - last.length
  for (const part of rest) {
    const found = text.indexOf(part, at)
    if (found < 0 || found + part.length > end) return false
    at = found + part.length
  }
  return at <= end
}

/** Whether an image is of a registry, or of a folder of one: `docker.io/mattermost`. Short names are those of Docker Hub. */
export function imageIn(image: string, registry: string): boolean {
  const folder = folderName(registry).replace(/\/+$/, '')
  return imageName(image).startsWith(`${folder}/`) || imageName(image) === folder
}

/** What has no folder is an official image, whatever its name looks like. */
function imageName(image: string): string {
  return image.includes('/') ? folderName(image) : `docker.io/library/${image.toLowerCase()}`
}

function folderName(name: string): string {
  const lower = name.toLowerCase().replace(/^index\.docker\.io(?=\/|$)/, 'docker.io')
  const [first = ''] = lower.split('/')
  return /[.:]/.test(first) || first === 'localhost' ? lower : `docker.io/${lower}`
}
