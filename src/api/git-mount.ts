import type { IncomingMessage, ServerResponse } from 'node:http'

/**
 * Smart HTTP of the embedded repository. Writes the whole answer itself; resolves when that is done.
 * @param path what follows `/fleet.git`, with the query: `/info/refs?service=git-upload-pack`
 */
export type GitHandler = (request: IncomingMessage, response: ServerResponse, path: string) => Promise<void>
