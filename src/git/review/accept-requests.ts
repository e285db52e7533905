/** New requests among changed documents: accepted one after another, so that a later one sees where an earlier one went. */
import { isFleetError } from '../../fleet/errors.ts'
import type { FileChange, Problem } from '../../fleet/files.ts'
import type { IntentChange } from '../../fleet/fleet.ts'
import type { FleetPath } from '../../fleet/ids.ts'
import type { CommitText } from '../../fleet/transaction.ts'
import { prepare, type WindowBase } from '../writer/window.ts'
import type { PlanOptions, Texts, Undo } from './plan-changes.ts'
import { refusalProblems, requestItem } from './request-refusal.ts'

export interface AcceptedRequests {
  readonly changes: readonly IntentChange[]
  /** Documents and what is rendered of them. */
  readonly files: readonly FileChange[]
  readonly texts: readonly CommitText[]
  readonly problems: readonly Problem[]
  readonly warnings: readonly Problem[]
}

export interface Admitted {
  readonly accepted: readonly IntentChange[]
  readonly own: Texts
  readonly problems: ReadonlyMap<string, readonly Problem[]>
  readonly undo: Undo
}

export async function acceptRequests(
  base: WindowBase,
  { accepted, own, problems: found, undo }: Admitted,
  options: PlanOptions,
): Promise<AcceptedRequests> {
  const { index, documents } = base
  const held = new Map([...base.held, ...found].filter(([path]) => found.get(path)?.length !== 0))
  const texts = new Map(own)
  const files: FileChange[] = []
  const result = {
    changes: [] as IntentChange[],
    texts: [] as CommitText[],
    problems: [] as Problem[],
    warnings: [] as Problem[],
  }
  const fresh = index.newRequests()
  for (const path of accepted.map((change) => change.path).filter((candidate) => fresh.has(candidate))) {
    const prepared = prepare({ ...base, held }, requestItem(path, options))
    if ('error' in prepared) {
      if (!isFleetError(prepared.error)) throw prepared.error
      result.problems.push(...refusalProblems(path, prepared.error, own.get(path) ?? '', documents))
      continue
    }
    undo.add(prepared.inverse)
    result.changes.push(...prepared.changes)
    result.texts.push(prepared.text)
    result.warnings.push(...waits(path, prepared.changes))
    const written = await documentsOf(base, prepared.changes, texts)
    for (const file of written) texts.set(file.path, file.text)
    files.push(...written, ...prepared.files)
  }
  return { ...result, files }
}

/** Documents as the writer would write them: what a person wrote stays. */
async function documentsOf(
  base: WindowBase,
  changes: readonly IntentChange[],
  texts: Texts,
): Promise<readonly FileChange[]> {
  const files: FileChange[] = []
  for (const { path, before, after } of changes) {
    if (after === undefined) {
      files.push({ path, text: undefined })
      continue
    }
    const present = texts.has(path) ? texts.get(path) : await committed(base, path)
    const canonical = base.documents.emit(after)
    const isOurs = before === undefined || present === undefined || present === base.documents.emit(before)
    files.push({ path, text: isOurs ? canonical : base.documents.edit(present, before, after) })
  }
  return files
}

async function committed({ editor, reader }: WindowBase, path: FleetPath): Promise<string | undefined> {
  const oid = await editor.at(path)
  return oid === undefined ? undefined : Buffer.from(await reader.blob(oid)).toString('utf8')
}

function waits(path: FleetPath, changes: readonly IntentChange[]): readonly Problem[] {
  return changes.flatMap(({ after }) => {
    const reason = after?.kind === 'InstallationRequest' ? after.spec.waitingFor : undefined
    if (reason === undefined) return []
    const detail = `the installation would wait: ${reason}`
    return [{ path, line: 0, column: 0, code: 'waits', detail }]
  })
}
