/** From a text to a tree on which both readers agree. */
import { confirm } from './agreement.ts'
import type { Parser } from './parser.ts'
import { readScript } from './script.ts'
import { NotUnderstood, type Script } from './tree.ts'

/** The longest single argument that Linux gives to a program (MAX_ARG_STRLEN): no longer line reaches a shell. */
const longest = 128 * 1024

/** Throws NotUnderstood. */
export function agreed(text: string, parser: Parser): Script {
  // What was no UTF-8 has come as U+FFFD: the bytes that the shell would see are not known.
  if (text.includes('\0') || text.includes('\ufffd') || !text.isWellFormed()) throw new NotUnderstood('it is no text')
  // Shells take them for characters of a name, terminals for something else, people for nothing.
  if (/[\x01-\x08\x0b-\x1f\x7f]/.test(text)) throw new NotUnderstood('it holds control characters')
  const bytes = /[^\x00-\x7f]/.test(text) ? Buffer.from(text).toString('latin1') : text
  if (bytes.length > longest) throw new NotUnderstood('it is too long')
  const script = readScript(bytes)
  confirm(script, parser)
  return script
}
