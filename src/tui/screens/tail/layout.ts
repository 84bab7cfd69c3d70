/** How many rows each part of the tail screen has; they add up to the height of the terminal. */
import type { TailState } from './model.ts'

export interface TailLayout {
  readonly title: number
  readonly banner: number
  readonly heading: number
  /** The records, or the open one, or the help. */
  readonly list: number
  readonly bottom: number
  readonly bar: number
}

export function layoutOf(state: Pick<TailState, 'size' | 'prompt' | 'notice' | 'connection'>): TailLayout {
  const banner = state.connection.state === 'connected' ? 0 : 1
  const bottom = (state.prompt === null ? 0 : 1) + (state.notice === null ? 0 : 1)
  const room = state.size.rows - 3 - banner
  const spent = Math.min(bottom, Math.max(0, room - 1))
  return { title: 1, banner, heading: 1, list: Math.max(0, room - spent), bottom: spent, bar: 1 }
}
