/** Where brackets that hold no commands end: arithmetic, parameters, patterns. Quotes within them are stepped over. */
import { NotUnderstood } from './tree.ts'

/** From `((`: behind the `))` that closes it; undefined where it is two subshells. */
export function skipArithmetic(text: string, from: number): number | undefined {
  let end: number
  try {
    end = skip(text, from, '(', ')')
  } catch {
    return undefined
  }
  if (text.charAt(end - 2) !== ')') return undefined
  // `((a) || (b))` ends so too, but then its outer brackets are not one pair within the other.
  return skip(text, from + 1, '(', ')') === end - 1 ? end : undefined
}

export function skipParentheses(text: string, from: number): number {
  return skip(text, from, '(', ')')
}

export function skipBrackets(text: string, from: number): number {
  return skip(text, from, '[', ']')
}

export function skipBraces(text: string, from: number): number {
  return skip(text, from, '{', '}')
}

/** From an opening bracket to behind the one that closes it. */
function skip(text: string, from: number, open: string, close: string): number {
  let depth = 0
  let doubleQuoted = false
  for (let at = from; at < text.length; at += 1) {
    const char = text.charAt(at)
    if (char === '\\') at += 1
    else if (char === '"') doubleQuoted = !doubleQuoted
    else if (char === "'" && !doubleQuoted) {
      at = text.indexOf("'", at + 1)
      if (at < 0) break
    } else if (char === '`') {
      at = text.indexOf('`', at + 1)
      if (at < 0) break
    } else if (char === '$' && text.charAt(at + 1) === '(' && open !== '(') {
      at = skip(text, at + 1, '(', ')') - 1
    } else if (doubleQuoted) continue
    else if (char === open) depth += 1
    else if (char === close) {
      depth -= 1
      if (depth === 0) return at + 1
    }
  }
  throw new NotUnderstood('a bracket is not closed')
}
