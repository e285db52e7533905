/** The little of Go's templates that rendered ExternalSecrets use. */

const ACTION = /\{\{\s*(?:\.(?<plain>\w+)|index \. "(?<quoted>[^"]+)")\s*(?<pipe>\|\s*urlquery\s*)?\}\}/g

/**
 * Fills in `{{ .name }}`, `{{ index . "na.me" }}`, each also `| urlquery`.
 * @param where said in errors
 * @throws Error for a value that is not there, and for any other action
 */
export function fillTemplate(text: string, values: Readonly<Record<string, string>>, where: string): string {
  const filled = text.replaceAll(ACTION, (...match) => {
    const groups: Readonly<Record<string, string | undefined>> = match.at(-1)
    const name = groups.plain ?? groups.quoted ?? ''
    const value = values[name]
    if (value === undefined) throw new Error(`${where}: template: map has no entry for key "${name}"`)
    return groups.pipe === undefined ? value : encodeURIComponent(value)
  })
  // A value may well hold braces; the template without its known actions must not.
  if (text.replaceAll(ACTION, '').includes('{{')) throw new Error(`${where}: template: unknown action`)
  return filled
}
