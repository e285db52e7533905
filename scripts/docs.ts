/** Writes the documents that are generated from the code; a test holds them together. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { commandsMarkdown } from '../src/cli/commands-markdown.ts'
import { configurationMarkdown } from '../src/configuration/settings.ts'

const DOCS = join(import.meta.dirname, '../docs')

writeFileSync(join(DOCS, 'commands.md'), commandsMarkdown())
writeFileSync(join(DOCS, 'configuration.md'), configurationMarkdown())
