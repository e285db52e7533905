/** Answers of AWS that moto does not give: refusals, throttling, failures, objects in states on their way. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Test } from 'tap'

export type AwsAnswer =
  | { readonly name: string; readonly status: number; readonly message: string }
  /** JSON of a REST service. */
  | { readonly answer: object }
  /** XML of a query service, or of S3. */
  | { readonly xml: string; readonly status?: number }

export interface FailingAws {
  readonly url: string
  readonly calls: () => number
}

/** @param answer to everything, or by the number of the call (from 1) and its path */
export async function awsThatFails(
  t: Test,
  answer: AwsAnswer | ((call: number, path: string, body: string) => AwsAnswer),
): Promise<FailingAws> {
  let calls = 0
  const server = createServer(async (request, response) => {
    calls += 1
    let body = ''
    for await (const chunk of request.setEncoding('utf8')) body += chunk
    const given = typeof answer === 'function' ? answer(calls, request.url ?? '', body) : answer
    const isXml = request.headers['content-type'] === 'application/x-www-form-urlencoded' || 'xml' in given
    response.setHeader('x-amzn-requestid', 'request-1')
    if ('answer' in given) response.end(JSON.stringify(given.answer))
    else if ('xml' in given)
      response.writeHead(given.status ?? 200, { 'Content-Type': 'text/xml' }).end(given.xml)
    else if (isXml) response.writeHead(given.status, { 'Content-Type': 'text/xml' }).end(xmlError(given))
    else
      response
        .writeHead(given.status, { 'Content-Type': 'application/json', 'x-amzn-errortype': given.name })
        .end(JSON.stringify({ message: given.message }))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(async () => {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  })
  // It listens on TCP, so it has an address.
  const { port } = server.address() as AddressInfo
  return { url: `http://127.0.0.1:${port}`, calls: () => calls }
}

function xmlError({ name, message }: { readonly name: string; readonly message: string }): string {
  const error = `<Error><Type>Sender</Type><Code>${name}</Code><Message>${message}</Message></Error>`
  return `<ErrorResponse>${error}<RequestId>request-1</RequestId></ErrorResponse>`
}
