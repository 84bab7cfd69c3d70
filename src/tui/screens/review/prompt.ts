/** The questions of the review screen: approve (a word to type where it destroys), deny (a reason), filter. Pure. */
import { visibleLine } from '../../../base/visible.ts'
import type { Decide } from '../../../contract/api.ts'
import { edit, insert } from '../../editing.ts'
import { countdown, secondsLeft } from '../../text/time.ts'
import { type Item, isPending } from './items.ts'
import type { Prompt, ReviewState } from './model.ts'

type Change = Partial<ReviewState>

/** Opens the question, or says why it cannot be asked. */
export function promptFor(state: ReviewState, item: Item | undefined, kind: 'approve' | 'deny'): Change {
  const no = (text: string): Change => ({ notice: { tone: 'warning', text } })
  if (item === undefined) return no('Nothing is selected.')
  if (!isPending(item)) return no(`Too late: ${endSentence(item)}.`)
  const { id, digest, confirm, whyNot, expires } = item.approval
  if (whyNot !== null) return no(`You may not decide: ${visibleLine(whyNot)}`)
  if (state.connection.state !== 'connected') return no('Not connected: what is shown may be out of date.')
  if (state.sending !== null) return no('A decision is on its way; wait for its answer.')
  if (secondsLeft(expires, state.now) === 0) return no('Too late: its time is over.')
  const deciding = { id, digest, input: '' }
  return { prompt: kind === 'approve' ? { kind, confirm, ...deciding } : { kind, ...deciding } }
}

export function promptPaste(prompt: Prompt, text: string): Change {
  return typed(prompt, insert(prompt.input, text))
}

export function promptKey(
  state: ReviewState,
  prompt: Prompt,
  key: string,
): Change & { readonly wish?: { readonly id: string; readonly decide: Decide } } {
  if (key === 'escape') return { prompt: null, ...(prompt.kind === 'filter' ? { filter: prompt.before } : {}) }
  if (key === 'enter') return prompt.kind === 'filter' ? { prompt: null } : send(state, prompt)
  const input = edit(prompt.input, key)
  return input === undefined ? {} : typed(prompt, input)
}

function typed(prompt: Prompt, input: string): Change {
  return { prompt: { ...prompt, input }, ...(prompt.kind === 'filter' ? { filter: input } : {}) }
}

function send(state: ReviewState, prompt: Exclude<Prompt, { kind: 'filter' }>): ReturnType<typeof promptKey> {
  if (state.connection.state !== 'connected')
    return { notice: { tone: 'warning', text: 'Not connected: nothing was sent.' } }
  if (prompt.kind === 'approve' && prompt.confirm !== null && prompt.input !== prompt.confirm)
    return { notice: { tone: 'warning', text: 'That is not the word: nothing was sent.' } }
  const said = prompt.input.trim()
  const reason = said === '' || (prompt.kind === 'approve' && prompt.confirm !== null) ? null : said
  return { prompt: null, wish: { id: prompt.id, decide: { decision: prompt.kind, reason, digest: prompt.digest } } }
}

/** How an approval stands, in words: `it was denied by dba@demo: not on a Friday`. */
export function endSentence({ approval, gone }: Item): string {
  if (gone) return 'it ended while the connection was lost'
  switch (approval.state) {
    case 'pending':
      return 'it is pending'
    case 'approved':
    case 'denied': {
      const wanted = approval.state === 'approved' ? 'approve' : 'deny'
      const by = approval.decisions.filter(({ decision }) => decision === wanted)
      const names = by.map(({ user }) => visibleLine(user)).join(' and ')
      const reason = approval.state === 'denied' ? by.at(-1)?.reason : undefined
      const why = reason === undefined || reason === null ? '' : `: ${visibleLine(reason)}`
      return `it was ${approval.state}${names === '' ? '' : ` by ${names}`}${why}`
    }
    case 'expired':
      return 'its time was over'
    case 'cancelled':
      return 'whoever asked gave up'
    default:
      return approval.state satisfies never
  }
}

/** What the list and the heading say of its state: `14:32` while it waits. */
export function standing({ approval, gone }: Item, now: number): string {
  if (gone) return 'ended'
  return approval.state === 'pending' ? countdown(secondsLeft(approval.expires, now)) : approval.state
}
