/** Text cut into pieces for colouring: in order, without gaps, so that put together they are the text. */
import type { Tone } from '../theme.ts'

export interface Piece {
  readonly start: number
  readonly end: number
  readonly tone: Tone | undefined
}

/** Longer texts stay without colours: a piece for every word of 16 MiB takes seconds and most of a gigabyte. */
export const longestColoured = 1024 ** 2
