/**
 * Edits trees in memory. Trees are values: an edit makes new ones along the path and shares the rest, so earlier roots
 * stay as they were.
 */
import type { FileChange } from '../fleet/files.ts'
import type { ObjectId } from '../fleet/ids.ts'
import type { NewObject, ObjectReader, TreeEditor } from './contracts.ts'
import { deltaBetween } from './delta.ts'
import { blobObject, decodeTree, EMPTY_TREE, hashObject } from './objects.ts'
import { encodeTree, findEntry, replaceEntry } from './tree-content.ts'

/** Roots of one window and some more can be gone back to without reading. */
const ROOTS_KEPT = 600

interface Tree {
  readonly oid: ObjectId
  /** Undefined until it is read. */
  content: Buffer | undefined
  /** Trees below that were visited. */
  readonly children: Map<string, Tree>
}

/** Files by name, folders by name; undefined: goes. */
interface Changes {
  readonly files: Map<string, string | undefined>
  readonly folders: Map<string, Changes>
}

export function createTreeEditor(reader: ObjectReader, root: ObjectId): TreeEditor {
  const roots = new Map<ObjectId, Tree>()
  let current = keep(unread(root))
  function keep(tree: Tree): Tree {
    roots.delete(tree.oid)
    roots.set(tree.oid, tree)
    if (roots.size <= ROOTS_KEPT) return tree
    const oldest = roots.keys().next()
    if (!oldest.done) roots.delete(oldest.value)
    return tree
  }
  async function contentOf(tree: Tree): Promise<Buffer> {
    if (tree.content !== undefined) return tree.content
    tree.content = tree.oid === EMPTY_TREE ? Buffer.alloc(0) : encodeTree(await reader.tree(tree.oid))
    return tree.content
  }
  async function edit(tree: Tree, changes: Changes, made: NewObject[]): Promise<Tree> {
    const before = await contentOf(tree)
    const children = new Map(tree.children)
    let content = before
    for (const [name, below] of changes.folders) {
      const child = children.get(name) ?? unread(folderIn(content, name))
      const next = await edit(child, below, made)
      children.set(name, next)
      if (next.oid === child.oid && next.oid !== EMPTY_TREE) continue
      if (next.oid === EMPTY_TREE) children.delete(name)
      content = replaceEntry(
        content,
        name,
        next.oid === EMPTY_TREE ? undefined : { mode: '40000', oid: next.oid },
      )
    }
    for (const [name, text] of changes.files) {
      const blob = text === undefined ? undefined : blobObject(text)
      const present = findEntry(content, name)
      if (present?.oid === blob?.oid) continue
      if (blob !== undefined) made.push(blob)
      children.delete(name)
      content = replaceEntry(
        content,
        name,
        blob === undefined ? undefined : { mode: '100644', oid: blob.oid },
      )
    }
    if (content === before || content.equals(before)) return { oid: tree.oid, content: before, children }
    const oid = hashObject('tree', content)
    if (oid !== EMPTY_TREE) made.push(treeObject(oid, content, tree, before))
    return { oid, content, children }
  }
  return {
    get root() {
      return current.oid
    },
    async at(path) {
      let tree = current
      const names = path === '' ? [] : path.split('/')
      for (const [index, name] of names.entries()) {
        const entry = findEntry(await contentOf(tree), name)
        if (entry === undefined) return undefined
        if (index === names.length - 1) return entry.oid
        if (entry.mode !== '40000') return undefined
        const child: Tree = tree.children.get(name) ?? unread(entry.oid)
        tree.children.set(name, child)
        tree = child
      }
      return tree.oid
    },
    async apply(changes) {
      const made: NewObject[] = []
      current = keep(await edit(current, nested(changes), made))
      return made
    },
    async readAhead(levels) {
      let level: readonly Tree[] = [current]
      for (let depth = 0; depth <= levels; depth += 1) {
        const contents = await Promise.all(level.map(contentOf))
        if (depth === levels) return
        level = level.flatMap((tree, at) => childrenOf(tree, contents[at]))
      }
    },
    reset(oid) {
      current = keep(roots.get(oid) ?? unread(oid))
    },
  }
}

/** The folders of a tree, known to it from then on. */
function childrenOf(tree: Tree, content: Buffer = Buffer.alloc(0)): readonly Tree[] {
  return decodeTree(content).flatMap(({ mode, name, oid }) => {
    if (mode !== '040000') return []
    const child = tree.children.get(name) ?? unread(oid)
    tree.children.set(name, child)
    return [child]
  })
}

function unread(oid: ObjectId): Tree {
  return { oid, content: undefined, children: new Map() }
}

function treeObject(oid: ObjectId, content: Buffer, base: Tree, before: Buffer): NewObject {
  const instructions = base.oid === EMPTY_TREE ? undefined : deltaBetween(before, content)
  if (instructions === undefined) return { oid, type: 'tree', content }
  return { oid, type: 'tree', content, base: { oid: base.oid, content: before, instructions } }
}

function nested(changes: readonly FileChange[]): Changes {
  const root: Changes = { files: new Map(), folders: new Map() }
  for (const { path, text } of changes) {
    const names = path.split('/')
    const file = names.pop()
    if (file === undefined) continue
    let folder = root
    for (const name of names) {
      const next: Changes = folder.folders.get(name) ?? { files: new Map(), folders: new Map() }
      folder.folders.set(name, next)
      folder = next
    }
    folder.files.set(file, text)
  }
  return root
}

/** The tree of a folder. A file, link or submodule of that name gives way to the folder. */
function folderIn(content: Buffer, name: string): ObjectId {
  const found = findEntry(content, name)
  return found?.mode === '40000' ? found.oid : EMPTY_TREE
}
