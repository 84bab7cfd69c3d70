/** Cuts the text of a request over HTTP into pieces for colouring: method, path, fields, and a body that is JSON. */
import { piecesOfJson } from './json.ts'
import { longestColoured, type Piece } from './piece.ts'

const harmless = new Set(['GET', 'HEAD', 'OPTIONS'])

export function piecesOfRequest(text: string): readonly Piece[] {
  const method = /^\S+/.exec(text)?.[0] ?? ''
  return piecesOfMessage(text, method.length, harmless.has(method) ? 'keyword' : 'grave')
}

/** `404 Not Found` instead of a request line. */
export function piecesOfAnswer(text: string): readonly Piece[] {
  return piecesOfMessage(text, 3, /^[45]/.test(text) ? 'bad' : 'good')
}

function piecesOfMessage(text: string, first: number, tone: Piece['tone']): readonly Piece[] {
  if (text.length > longestColoured) return []
  const empty = text.indexOf('\n\n')
  const headEnd = empty < 0 ? text.length : empty
  const pieces: Piece[] = []
  let at = 0
  const put = (end: number, tone: Piece['tone']) => {
    if (end > at) pieces.push({ start: at, end, tone })
    at = Math.max(at, end)
  }
  put(first, tone)
  put(lineEnd(text, at, headEnd), 'name')
  while (at < headEnd) {
    const end = lineEnd(text, at + 1, headEnd)
    const colon = text.indexOf(':', at)
    put(colon < 0 || colon > end ? at : colon + 1, 'quiet')
    put(end, undefined)
  }
  const body = text.slice(headEnd).trimStart()
  if (/^[[{"]/.test(body)) pieces.push(...piecesOfJson(text, headEnd))
  else put(text.length, undefined)
  return pieces
}

function lineEnd(text: string, from: number, most: number): number {
  const found = text.indexOf('\n', from)
  return found < 0 || found > most ? most : found
}
