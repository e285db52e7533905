/** Notes and threads. */
import { diffsOf } from './merge-requests.ts'
import type { Answer, Call } from '../described-api.ts'
import {
  discuss,
  given,
  type Handler,
  type Handlers,
  MERGE_REQUESTS,
  type Note,
  NOT_FOUND,
  page,
  SELF,
  type State,
  userOf,
} from './world.ts'

function noteBody({ id, author, body, position }: Note): unknown {
  return { id, body, author: userOf(author), ...(position === undefined ? {} : { position }) }
}

const NOTES = `${MERGE_REQUESTS}/{noteable_id}/notes`
const THREADS = `${MERGE_REQUESTS}/{noteable_id}/discussions`

export function talk(state: State): Handlers {
  const { discussions } = state
  const numberOf = ({ path }: Call): number => Number(path.noteable_id)
  const notesOf = (number: number): readonly Note[] =>
    (discussions.get(number) ?? []).flatMap(({ notes }) => notes)
  const remove: Handler = (call) => {
    const number = numberOf(call)
    const id = Number(call.path.note_id)
    const isOwn = notesOf(number).some((note) => note.id === id && note.author === SELF)
    if (!isOwn) return NOT_FOUND
    const those = discussions.get(number) ?? []
    for (const { notes } of those) notes.splice(0, notes.length, ...notes.filter((note) => note.id !== id))
    discussions.set(
      number,
      those.filter(({ notes }) => notes.length > 0),
    )
    return { status: 204 }
  }
  return {
    [`GET ${NOTES}`]: (call) => page(state, call, notesOf(numberOf(call)).map(noteBody)),
    [`POST ${NOTES}`]: async (call) => {
      if ((await given(state, call)) === undefined) return NOT_FOUND
      const body = String(call.body.body)
      if (body.length > 1_000_000)
        return { status: 400, body: { message: '400 Bad request - note is too long' } }
      const { notes } = discuss(state, numberOf(call), { author: SELF, body }, true)
      return { status: 201, body: notes.map(noteBody)[0] }
    },
    [`PUT ${NOTES}/{note_id}`]: (call) => {
      const note = notesOf(numberOf(call)).find(({ id }) => id === Number(call.path.note_id))
      if (note === undefined || note.author !== SELF) return NOT_FOUND
      note.body = String(call.body.body)
      return { status: 200, body: noteBody(note) }
    },
    [`DELETE ${NOTES}/{note_id}`]: remove,
    [`GET ${THREADS}`]: (call) => {
      const those = (discussions.get(numberOf(call)) ?? []).map(({ id, isIndividual, notes }) => ({
        ...{ id, individual_note: isIndividual, notes: notes.map(noteBody) },
      }))
      return page(state, call, those)
    },
    [`POST ${THREADS}`]: (call) => startThread(state, call),
    [`DELETE ${THREADS}/{discussion_id}/notes/{note_id}`]: remove,
  }
}

async function startThread(state: State, call: Call): Promise<Answer> {
  const found = await given(state, call)
  if (found === undefined) return NOT_FOUND
  const position = { ...(call.body.position as Record<string, unknown>) }
  const file = (await diffsOf(state, found)).find(({ new_path }) => new_path === position.new_path)
  const isOfHead = position.head_sha === found.head
  if (!isOfHead || !isInDiff(file?.diff ?? '', position))
    return { status: 400, body: { message: '400 Bad request - Note {:line_code=>["can\'t be blank"]}' } }
  const note = { author: SELF, body: String(call.body.body), position }
  const { id, notes } = discuss(state, found.number, note, false)
  return { status: 201, body: { id, individual_note: false, notes: notes.map(noteBody) } }
}

/** An added line has a new number only, an unchanged one both. */
function isInDiff(
  diff: string,
  { new_line: wanted, old_line: old }: Readonly<Record<string, unknown>>,
): boolean {
  let [before, after] = [0, 0]
  for (const line of diff.split('\n')) {
    const hunk = /^@@ -(\d+)\S* \+(\d+)/.exec(line)
    if (hunk !== null) [before, after] = [Number(hunk[1]), Number(hunk[2])]
    else if (line.startsWith('-')) before += 1
    else {
      if (after === wanted && line.startsWith('+')) return old === undefined
      if (after === wanted && line.startsWith(' ')) return old === before
      if (line.startsWith(' ')) before += 1
      after += 1
    }
  }
  return false
}
