/** Comments and reviews. */
import { filesOf } from './pull-requests.ts'
import type { Answer, Call } from '../described-api.ts'
import {
  type Comment,
  given,
  type Handlers,
  OWNER,
  PULLS,
  page,
  REPO,
  type Review,
  type State,
} from './world.ts'

export function talk(state: State): Handlers {
  const { comments, reviews, reviewComments, self } = state
  const numberOf = ({ path }: Call): number => Number(path.issue_number ?? path.pull_number)
  const tooLong = (body: unknown): boolean => String(body).length > 65_536
  const refused: Answer = {
    status: 422,
    body: { message: 'Validation Failed', errors: ['body is too long'] },
  }
  const bodyOf = ({ id, author, body, ...rest }: Comment): unknown => ({
    ...{ id, body, user: { login: author }, ...rest },
  })
  return {
    'GET /repos/{owner}/{repo}/issues/{issue_number}/comments': (call) => {
      const number = numberOf(call)
      const those = (comments.get(number) ?? []).map(bodyOf)
      return page(state, call.query, `/repos/${OWNER}/${REPO}/issues/${number}/comments`, those)
    },
    'POST /repos/{owner}/{repo}/issues/{issue_number}/comments': async (call) => {
      if (tooLong(call.body.body)) return refused
      const number = numberOf(call)
      await given(state.memory, number)
      const comment = { id: state.nextId++, author: self, body: String(call.body.body) }
      comments.set(number, [...(comments.get(number) ?? []), comment])
      return { status: 201, body: bodyOf(comment) }
    },
    'PATCH /repos/{owner}/{repo}/issues/comments/{comment_id}': ({ path, body }) => {
      if (tooLong(body.body)) return refused
      const comment = [...comments.values()].flat().find(({ id }) => id === Number(path.comment_id))
      if (comment === undefined) return { status: 404, body: { message: 'Not Found' } }
      if (comment.author !== self) return { status: 403, body: { message: 'Must have admin rights' } }
      comment.body = String(body.body)
      return { status: 200, body: bodyOf(comment) }
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/reviews': (call) => {
      const number = numberOf(call)
      const those = (reviews.get(number) ?? []).map(({ comments: _, ...review }) => bodyOf(review))
      return page(state, call.query, `${PULLS}/${number}/reviews`, those)
    },
    'POST /repos/{owner}/{repo}/pulls/{pull_number}/reviews': (call) =>
      createReview(state, numberOf(call), call.body),
    'PUT /repos/{owner}/{repo}/pulls/{pull_number}/reviews/{review_id}': ({ path, body }) => {
      const review = [...reviews.values()].flat().find(({ id }) => id === Number(path.review_id))
      if (review === undefined) return { status: 422, body: { message: 'no such review' } }
      review.body = String(body.body)
      return { status: 200, body: { id: review.id, body: review.body } }
    },
    'GET /repos/{owner}/{repo}/pulls/{pull_number}/comments': (call) => {
      const number = numberOf(call)
      return page(
        state,
        call.query,
        `${PULLS}/${number}/comments`,
        (reviewComments.get(number) ?? []).map(bodyOf),
      )
    },
    'DELETE /repos/{owner}/{repo}/pulls/comments/{comment_id}': ({ path }) => {
      for (const [number, those] of reviewComments)
        reviewComments.set(
          number,
          those.filter(({ id }) => id !== Number(path.comment_id)),
        )
      return { status: 204 }
    },
  }
}

/** GitHub refuses the whole review for one comment on a line that the diff does not show. */
async function createReview(state: State, number: number, body: Call['body']): Promise<Answer> {
  const lines = new Map<string, string>()
  for (const file of await filesOf(state, number)) {
    const { filename, patch } = file as { filename: string; patch: string }
    lines.set(filename, patch)
  }
  const those = (body.comments ?? []) as { path: string; line: number; body: string }[]
  for (const { path, line } of those)
    if (!isShown(lines.get(path) ?? '', line))
      return {
        status: 422,
        body: {
          message: 'Unprocessable Entity',
          errors: ['Pull request review thread line must be part of the diff'],
        },
      }
  if (String(body.body).length > 65_536) return { status: 422, body: { message: 'body is too long' } }
  const review: Review = { id: state.nextId++, author: state.self, body: String(body.body), comments: [] }
  state.reviews.set(number, [...(state.reviews.get(number) ?? []), review])
  const added = those.map(({ path, line, body }) => ({
    id: state.nextId++,
    author: state.self,
    path,
    line,
    body,
  }))
  state.reviewComments.set(number, [...(state.reviewComments.get(number) ?? []), ...added])
  return { status: 200, body: { id: review.id, body: review.body, user: { login: state.self } } }
}

function isShown(patch: string, line: number): boolean {
  return [...patch.matchAll(/^@@ -\S+ \+(\d+)(?:,(\d+))? @@/gm)].some(([, start, count]) => {
    const first = Number(start)
    return line >= first && line < first + Number(count ?? 1)
  })
}
