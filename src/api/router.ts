/** Finds the route of a request. A path nobody knows, a wrong method and a malformed id are one and the same: no route. */
import type { Route } from './routes.ts'

export interface Match {
  readonly route: Route
  readonly params: ReadonlyMap<string, string>
}

export interface Router {
  /** @param path of the URL, still percent-encoded */
  match(method: string, path: string): Match | undefined
}

interface Node {
  readonly literals: Map<string, Node>
  readonly parameters: { readonly name: string; readonly pattern: RegExp; readonly node: Node }[]
  readonly routes: Map<string, Route>
}

const ID = /^[A-Za-z0-9]{26}$/
const ANY = /^.+$/

/** @throws RangeError when two routes have the same method and path */
export function createRouter(routes: readonly Route[]): Router {
  const root = newNode()
  for (const route of routes) {
    const node = segmentsOf(route.path).reduce(descend, root)
    if (node.routes.has(route.method))
      throw new RangeError(`${route.method} ${route.path} is in the table twice`)
    node.routes.set(route.method, route)
  }
  return {
    match(method, path) {
      const segments = decodeSegments(path)
      return segments && find(root, segments, 0, method, [])
    },
  }
}

function newNode(): Node {
  return { literals: new Map(), parameters: [], routes: new Map() }
}

function descend(node: Node, segment: string): Node {
  const name = /^\{(.+)\}$/.exec(segment)?.[1]
  if (name === undefined) {
    const next = node.literals.get(segment) ?? newNode()
    node.literals.set(segment, next)
    return next
  }
  const known = node.parameters.find((parameter) => parameter.name === name)
  if (known) return known.node
  const next = newNode()
  node.parameters.push({ name, pattern: isIdName(name) ? ID : ANY, node: next })
  return next
}

/** Whether a path parameter of this name takes 26 letters or digits. */
export function isIdName(name: string): boolean {
  return name === 'id' || name.endsWith('Id')
}

function find(
  node: Node,
  segments: readonly string[],
  at: number,
  method: string,
  params: readonly (readonly [string, string])[],
): Match | undefined {
  const segment = segments[at]
  if (segment === undefined) {
    const route = node.routes.get(method)
    return route && { route, params: new Map(params) }
  }
  const literal = node.literals.get(segment)
  const found = literal && find(literal, segments, at + 1, method, params)
  if (found) return found
  for (const { name, pattern, node: next } of node.parameters) {
    if (!pattern.test(segment)) continue
    const match = find(next, segments, at + 1, method, [...params, [name, segment]])
    if (match) return match
  }
  return undefined
}

function segmentsOf(path: string): readonly string[] {
  return path.slice(1).split('/')
}

function decodeSegments(path: string): readonly string[] | undefined {
  try {
    return segmentsOf(path).map(decodeURIComponent)
  } catch (error) {
    if (error instanceof URIError) return undefined
    throw error
  }
}
