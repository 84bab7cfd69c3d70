/** Can a function's text keep a value that it gets? Words are enough to say yes; only what is plainly without them is a no. */
import { storesAnything } from './builtins.ts'
import { createMentions } from './mentions.ts'

const storing = createMentions([
  'insert', 'update', 'merge', 'refcursor', 'copy', 'execute', 'create',
  ...storesAnything,
]) // biome-ignore format: a list

const returnsTrigger = /\breturns\s+(?:pg_catalog\s*\.\s*)?"?trigger\b/i
/** NEW or OLD as a whole, in another place than RETURN, which everything ends with. */
const wholeRow = /\b(?:new|old)\b(?!\s*\.)/i
const harmlessReturn = /\breturn\s+(?:new|old)\b/gi

export function storesText(text: string, maskedColumns: ReadonlySet<string>): boolean {
  const body = text.replace(/^\s*CREATE (?:OR REPLACE )?\w+/i, '')
  if (storing.mentionedIn(body)) return true
  if (!returnsTrigger.test(text)) return false
  // What a trigger puts into NEW is stored.
  return wholeRow.test(body.replaceAll(harmlessReturn, '')) || createMentions(maskedColumns).mentionedIn(body)
}
