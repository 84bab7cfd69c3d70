/** Cuts JSON into pieces for colouring. Only for the eye: what is no JSON is cut too, and nothing is dropped. */
import type { Tone } from '../theme.ts'
import type { Piece } from './piece.ts'

const blank = /\s+/y
const string = /"(?:[^"\\]|\\.)*"?/sy
const scalar = /[\w.+-]+/y
const isName = /\s*:/y

/** Of the part of a text that begins here. */
export function piecesOfJson(text: string, from: number): readonly Piece[] {
  const pieces: Piece[] = []
  for (let start = from; start < text.length; ) {
    const [end, tone] = pieceAt(text, start)
    pieces.push({ start, end, tone })
    start = end
  }
  return pieces
}

function pieceAt(text: string, at: number): readonly [end: number, tone: Tone | undefined] {
  const found = (pattern: RegExp, from: number): number => {
    pattern.lastIndex = from
    return pattern.test(text) ? pattern.lastIndex : from
  }
  const words = found(string, at)
  if (words > at) return [words, found(isName, words) > words ? 'name' : 'literal']
  const value = found(scalar, at)
  if (value > at) return [value, 'keyword']
  const gap = found(blank, at)
  return gap > at ? [gap, undefined] : [at + 1, 'quiet']
}
