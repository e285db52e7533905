/** `fleetwright validate [dir]`: checks every document of a checkout. */
import { readCheckout } from './checkout.ts'

/** @returns the exit code: 0 all valid, 1 something is wrong */
export async function validate(folder: string, asJson: boolean): Promise<number> {
  const { problems, count } = await readCheckout(folder)
  if (asJson) process.stdout.write(`${JSON.stringify({ documents: count, problems }, undefined, 2)}\n`)
  else {
    for (const { path, line, column, detail } of problems)
      process.stdout.write(`${path}:${line}:${column}: ${detail}\n`)
    process.stdout.write(`${count} documents, ${problems.length} problems\n`)
  }
  return problems.length === 0 ? 0 : 1
}
