/** Keys made by ssh-keygen, as people make them. */
import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'

/** @returns path of the private key; the public one is beside it, with `.pub` */
export function makeKey(folder: string, ...args: readonly string[]): string {
  const path = join(folder, `key-${randomUUID()}`)
  const passphrase = args.includes('-N') ? [] : ['-N', '']
  execFileSync('ssh-keygen', ['-q', ...args, ...passphrase, '-C', 'for tests', '-f', path])
  return path
}

/** The line of `authorized_keys`. */
export function publicKeyOf(path: string): string {
  return readFileSync(`${path}.pub`, 'utf8').trim()
}

/** A file for git and `ssh-keygen -Y verify` that trusts one key. */
export async function allowedSigners(path: string, email: string): Promise<string> {
  const file = `${path}.allowed`
  await writeFile(file, `${email} namespaces="git" ${publicKeyOf(path)}\n`)
  return file
}
