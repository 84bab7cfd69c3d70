/** How many rows each part of the review screen has. Everything adds up to the height of the terminal, whatever that is. */
import type { ReviewState } from './model.ts'

export interface ReviewLayout {
  readonly title: number
  readonly banner: number
  /** The list with its heading. */
  readonly list: number
  /** The line between list and text, which names what is shown. */
  readonly divider: number
  readonly text: number
  /** What has just happened, or what is being asked. */
  readonly bottom: number
  readonly bar: number
}

/** Below this nothing sensible can be shown. */
export const smallest = { columns: 20, rows: 5 }

export function layoutOf(
  state: Pick<ReviewState, 'size' | 'view' | 'prompt' | 'notice' | 'sending' | 'connection'>,
  shown: number,
): ReviewLayout {
  const { rows } = state.size
  const banner = state.connection.state === 'connected' ? 0 : 1
  const bottom = state.prompt !== null ? Math.min(2, rows - 4) : state.notice !== null || state.sending !== null ? 1 : 0
  const body = Math.max(0, rows - 2 - banner - bottom)
  const fixed = { title: 1, banner, bottom, bar: 1 }
  if (state.view !== 'list') return { ...fixed, list: 0, divider: 1, text: Math.max(0, body - 1) }
  // A text of fewer than four rows says too little: then the list has all, and enter shows the text.
  const list = Math.max(2, Math.min(shown + 1, Math.floor(body * 0.4)))
  const text = body - list - 1
  if (shown === 0 || text < 4) return { ...fixed, list: body, divider: 0, text: 0 }
  return { ...fixed, list, divider: 1, text }
}
