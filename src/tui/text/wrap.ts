/**
 * Lays out a text of any length (a statement may have 16 MiB) in a width, with line numbers: nothing is left out, line
 * breaks and tabs are kept, suspicious characters become stand-ins. Row starts are found once; a row's pieces only when it
 * is shown.
 */
import type { Block } from './block.ts'
import type { Line, Span } from './span.ts'
import type { Piece } from './piece.ts'
import { isSuspicious, standIn } from '../../base/visible.ts'
import { graphemesOf, widthOf } from './width.ts'

const tabWidth = 4
const newline = 0x0a
const tab = 0x09

export function wrapText(text: string, width: number, pieces: readonly Piece[] = []): Block {
  const numbered = width >= 50 && text.includes('\n')
  const digits = numbered ? String(countLines(text)).length : 0
  const gutter = numbered ? digits + 2 : 0
  const rows = findRows(text, Math.max(4, width - gutter))
  return {
    rows: rows.length,
    row(index) {
      const row = rows[index]
      if (row === undefined) return []
      const content = spansOf(text, row.start, row.end, pieces)
      if (!numbered) return content
      const label = row.number === rows[index - 1]?.number ? '' : String(row.number)
      return [{ text: `${label.padStart(digits)}│ `, tone: 'quiet' }, ...content]
    },
  }
}

interface Row {
  readonly start: number
  /** Without the line break. */
  readonly end: number
  /** Of the line it belongs to, from 1. */
  readonly number: number
}

function findRows(text: string, width: number): readonly Row[] {
  const rows: Row[] = []
  let start = 0
  let number = 1
  let used = 0
  /** After the last space of this row: where a person would break it. */
  let goodBreak = 0
  const breakAt = (end: number): void => {
    rows.push({ start, end, number })
    start = end
    goodBreak = end
  }
  for (const { at, end, width: needed } of cells(text)) {
    if (text.charCodeAt(at) === newline) {
      breakAt(text.charCodeAt(at - 1) === 0x0d && at > start ? at - 1 : at)
      start = end
      number += 1
      used = 0
      continue
    }
    if (used + needed > width && at > start) {
      const soft = goodBreak > start && at - goodBreak < width / 3
      const from = soft ? goodBreak : at
      breakAt(from)
      used = from === at ? 0 : measure(text.slice(from, at))
    }
    used += needed
    if (text.charCodeAt(at) === 0x20) goodBreak = end
  }
  if (start < text.length || rows.length === 0) breakAt(text.length)
  return rows
}

interface Cell {
  readonly at: number
  readonly end: number
  readonly width: number
}

/** What takes columns, one after the other: an ASCII character, a tab, a stand-in, or one grapheme. */
function* cells(text: string): Generator<Cell> {
  for (let at = 0; at < text.length; ) {
    const code = text.charCodeAt(at)
    if (code >= 0x20 && code <= 0x7e) {
      yield { at, end: at + 1, width: 1 }
      at += 1
    } else if (code === newline) {
      yield { at, end: at + 1, width: 0 }
      at += 1
    } else if (code === tab) {
      yield { at, end: at + 1, width: tabWidth }
      at += 1
    } else if (code < 0x20) {
      // A carriage return before a line feed belongs to the line break.
      const width = code === 0x0d && text.charCodeAt(at + 1) === newline ? 0 : 1
      yield { at, end: at + 1, width }
      at += 1
    } else {
      let end = at
      while (end < text.length && end - at < 4096 && text.charCodeAt(end) > 0x7e) end += 1
      if (end < text.length && isLowSurrogate(text.charCodeAt(end))) end += 1
      for (const grapheme of graphemesOf(text.slice(at, end))) {
        // Looked at one by one: what joins a grapheme may itself be what hides something.
        if (!isSuspicious(grapheme)) {
          yield { at, end: at + grapheme.length, width: widthOf(grapheme) }
          at += grapheme.length
          continue
        }
        for (const part of grapheme) {
          const width = isSuspicious(part) ? standIn(part).length : widthOf(part)
          yield { at, end: at + part.length, width }
          at += part.length
        }
      }
    }
  }
}

function measure(text: string): number {
  let used = 0
  for (const cell of cells(text)) used += cell.width
  return used
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code <= 0xdfff
}

function countLines(text: string): number {
  let count = 1
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count += 1
  return count
}

function spansOf(text: string, start: number, end: number, pieces: readonly Piece[]): Line {
  const spans: { text: string; tone: Span['tone'] }[] = []
  let piece = pieceIndex(pieces, start)
  const rowText = text.slice(start, end)
  for (const cell of cells(rowText)) {
    while ((pieces[piece]?.end ?? Number.POSITIVE_INFINITY) <= start + cell.at) piece += 1
    const raw = rowText.slice(cell.at, cell.end)
    const isTab = raw === '\t'
    const shown = isTab ? ' '.repeat(cell.width) : isSuspicious(raw) ? standIn(raw) : raw
    const tone = shown === raw || isTab ? pieces[piece]?.tone : 'hidden'
    const last = spans.at(-1)
    if (last !== undefined && last.tone === tone) last.text += shown
    else spans.push({ text: shown, tone })
  }
  return spans
}

/** The first piece that ends behind this place; pieces lie in order without gaps. */
function pieceIndex(pieces: readonly Piece[], at: number): number {
  let low = 0
  let high = pieces.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((pieces[middle]?.end ?? 0) <= at) low = middle + 1
    else high = middle
  }
  return low
}
