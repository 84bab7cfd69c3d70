/**
 * Something that is shown as rows and may be long: only the rows on the screen are ever made. A document is blocks one
 * below the other.
 */
import type { Line } from './span.ts'

export interface Block {
  readonly rows: number
  /** The row at this index, 0 to rows - 1; not yet fitted to a width. */
  row(index: number): Line
}

export function linesBlock(lines: readonly Line[]): Block {
  return { rows: lines.length, row: (index) => lines[index] ?? [] }
}

export function stack(blocks: readonly Block[]): Block {
  let rows = 0
  const starts = blocks.map((block) => {
    const start = rows
    rows += block.rows
    return start
  })
  return {
    rows,
    row(index) {
      const at = starts.findLastIndex((start) => start <= index)
      return blocks[at]?.row(index - (starts[at] ?? 0)) ?? []
    },
  }
}

/** The rows of a window onto the block: those that exist, at most `height` of them. */
export function windowOf(block: Block, from: number, height: number): readonly Line[] {
  const count = Math.max(0, Math.min(height, block.rows - from))
  return Array.from({ length: count }, (_, index) => block.row(from + index))
}

/** The nearest place to scroll to at which the window is full, if the block can fill it. */
export function clampScroll(scroll: number, rows: number, height: number): number {
  return Math.max(0, Math.min(scroll, rows - height))
}
