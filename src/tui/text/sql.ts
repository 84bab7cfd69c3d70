/**
 * Cuts SQL into pieces for colouring, by PostgreSQL's lexical rules. Only for the eye: what a statement does is decided by
 * the gateway with PostgreSQL's own grammar. Nothing is dropped: the pieces, put together, are the text.
 */
import type { Tone } from '../theme.ts'
import { longestColoured, type Piece } from './piece.ts'

/** Words that take something away, or hand out or change rights. */
const grave = new Set(
  'alter cascade copy delete drop execute grant merge reassign reset revoke truncate update'.split(' '),
)
const keywords = new Set(
  `abort add all analyze and any as asc begin between both by call case cast check checkpoint close cluster collate column
  comment commit concurrently constraint create cross current cursor database deallocate declare default deferrable desc
  distinct do domain else end escape except exclude exists explain extension false fetch for foreign from full function
  generated group having if ilike in index inherit inner insert instead intersect into is isolation join key language
  lateral left like limit listen load lock materialized move natural next no not notify null of offset on only or order
  outer over owner partition policy prepare primary procedure program publication references refresh reindex release
  rename replace returning right role rollback row rows rule savepoint schema select sequence server session set share
  similar some start statement subscription table tablespace temp temporary then to transaction trigger true type union
  unique unlisten unlogged user using vacuum values view when where window with without work write`.split(/\s+/),
)

const word = /[\p{L}_\u0080-\uffff][\p{L}\p{M}\p{N}_$\u0080-\uffff]*/uy
const number = /\d[\d_]*(?:\.\d*)?(?:e[+-]?\d+)?/iy
const space = /\s+/y
const lineComment = /--[^\n]*/y
const parameter = /\$\d+/y
const escapeString = /e'/iy
const dollarTag = /\$(?:[\p{L}_][\p{L}\p{N}_]*)?\$/uy

export function piecesOf(sql: string): readonly Piece[] {
  if (sql.length > longestColoured) return []
  const pieces: Piece[] = []
  for (let start = 0; start < sql.length; ) {
    const [end, tone] = pieceAt(sql, start)
    pieces.push({ start, end, tone })
    start = end
  }
  return pieces
}

function pieceAt(sql: string, at: number): readonly [end: number, tone: Tone | undefined] {
  const character = sql.charAt(at)
  const found = (pattern: RegExp): number => {
    pattern.lastIndex = at
    return pattern.test(sql) ? pattern.lastIndex : at
  }

  if (/\s/.test(character)) return [found(space), undefined]
  if (sql.startsWith('--', at)) return [found(lineComment), 'comment']
  if (sql.startsWith('/*', at)) return [blockCommentEnd(sql, at), 'comment']
  if (character === "'") return [quotedEnd(sql, at + 1, "'"), 'literal']
  if (character === '"') return [quotedEnd(sql, at + 1, '"'), 'name']
  if (/\d/.test(character)) return [found(number), 'literal']
  if (character === '$') {
    const tagEnd = found(dollarTag)
    if (tagEnd > at) {
      const close = sql.indexOf(sql.slice(at, tagEnd), tagEnd)
      return [close < 0 ? sql.length : close + tagEnd - at, 'literal']
    }
    return [Math.max(found(parameter), at + 1), 'literal']
  }
  if (found(escapeString) > at) return [escapedEnd(sql, at + 2), 'literal']
  const wordEnd = found(word)
  if (wordEnd > at) return [wordEnd, toneOfWord(sql.slice(at, wordEnd))]
  return [at + 1, undefined]
}

/** Behind the closing quote; a doubled one stays inside. */
function quotedEnd(sql: string, from: number, quote: string): number {
  for (let close = sql.indexOf(quote, from); close >= 0; close = sql.indexOf(quote, close + 2))
    if (sql.charAt(close + 1) !== quote) return close + 1
  return sql.length
}

/** The same for E'…', where a backslash guards the next character. */
function escapedEnd(sql: string, from: number): number {
  for (let at = from; at < sql.length; at += 1) {
    const character = sql.charAt(at)
    if (character === '\\') at += 1
    else if (character === "'" && sql.charAt(at + 1) === "'") at += 1
    else if (character === "'") return at + 1
  }
  return sql.length
}

/** PostgreSQL's block comments nest. */
function blockCommentEnd(sql: string, at: number): number {
  const marks = /\/\*|\*\//g
  marks.lastIndex = at
  let depth = 0
  for (let mark = marks.exec(sql); mark !== null; mark = marks.exec(sql)) {
    depth += mark[0] === '/*' ? 1 : -1
    if (depth === 0) return marks.lastIndex
  }
  return sql.length
}

function toneOfWord(text: string): Tone | undefined {
  if (text.length > 20) return undefined
  const lower = text.toLowerCase()
  if (grave.has(lower)) return 'grave'
  return keywords.has(lower) ? 'keyword' : undefined
}
