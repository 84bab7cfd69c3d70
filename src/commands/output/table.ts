/** Aligned columns for people. Cells may carry colours; their widths are counted without. */
import { type Style, widthOf } from './style.ts'

export function table(headings: readonly string[], rows: readonly (readonly string[])[], style: Style): string {
  const widths = headings.map((heading, column) =>
    Math.max(widthOf(heading), ...rows.map((row) => widthOf(row[column] ?? ''))),
  )
  const lines = [headings.map((heading) => style('quiet', heading)), ...rows]
  return lines.map((cells) => `${alignRow(cells, widths)}\n`).join('')
}

/** `name  value` pairs, one a line. */
export function pairs(entries: readonly (readonly [string, string])[], style: Style): string {
  const width = Math.max(...entries.map(([name]) => widthOf(name)))
  return entries.map(([name, value]) => `${alignRow([style('quiet', name), value], [width, 0])}\n`).join('')
}

function alignRow(cells: readonly string[], widths: readonly number[]): string {
  return cells
    .map((cell, column) =>
      column === cells.length - 1 ? cell : cell + ' '.repeat(Math.max(0, (widths[column] ?? 0) - widthOf(cell))),
    )
    .join('  ')
    .trimEnd()
}
