/** Comments as a real Gitea shows them: texts of a pull request stay text, and what goes is red. */
import { type Test, test } from 'tap'
import { missingCustomResources } from '../../scripts/testbed/custom-resources.ts'
import { startGitea } from '../../scripts/testbed/gitea.ts'
import { createSupervisor } from '../../scripts/testbed/supervisor.ts'
import { commentOf } from '../../src/fleet/review/comment.ts'
import { HOSTILE } from '../support/hostile-texts.ts'
import { tagsOf } from '../support/markdown.ts'
import { planWith } from '../support/review-plans.ts'

const skip = missingCustomResources() ?? false

/** How Gitea shows a comment; mentions, references and links are found in it. */
async function startShowing(t: Test): Promise<(markdown: string) => Promise<string>> {
  const supervisor = await createSupervisor()
  t.teardown(() => supervisor.close())
  const gitea = await startGitea(supervisor)
  await gitea.addUser('ada')
  await gitea.call('POST', '/user/repos', { name: 'fleet', auto_init: true })
  return async (markdown) => {
    const answer = await fetch(`${gitea.url}/api/v1/markdown`, {
      method: 'POST',
      headers: { authorization: `token ${gitea.token}`, 'content-type': 'application/json' },
      body: JSON.stringify({ Text: markdown, Mode: 'comment', Context: `/${gitea.user}/fleet`, Wiki: false }),
    })
    if (!answer.ok) throw new Error(`${answer.status} ${await answer.text()}`)
    return await answer.text()
  }
}

/** Without what highlighting makes of the text of code. */
function structure(shown: string): readonly string[] {
  return tagsOf(shown.replaceAll(/<code[^>]*>[\s\S]*?<\/code>/g, ''))
}

test('Gitea shows any text of a pull request as text, and deletions in red', { skip }, async (t) => {
  const show = await startShowing(t)
  const plain = await show(commentOf(planWith('word')))
  for (const tag of ['details', 'summary', 'table', 'pre', 'h3', 'h4', 'li'])
    t.ok(structure(plain).includes(tag), tag)
  t.match(plain, /<span class="gd">- installation word/, 'a line that goes is red')
  const mentioned = await show('see @ada, https://evil.example.com, <b>')
  t.ok(structure(mentioned).includes('a'), 'Gitea finds mentions and links')
  for (const text of HOSTILE)
    t.strictSame(
      structure(await show(commentOf(planWith(text)))),
      structure(plain),
      JSON.stringify(text.slice(0, 60)),
    )
})
