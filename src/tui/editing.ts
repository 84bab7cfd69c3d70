/** One line of text being typed. */
import { isSuspicious } from '../base/visible.ts'
import { graphemesOf } from './text/width.ts'

/** What the API takes for a reason. */
const longest = 1000

/** The text after this key, or undefined if the key does not edit. */
export function edit(text: string, key: string): string | undefined {
  if (key === 'backspace') return [...graphemesOf(text)].slice(0, -1).join('')
  if (key === 'ctrl+u') return ''
  if (key === 'ctrl+w') return text.replace(/\S+\s*$/, '')
  return isCharacter(key) ? insert(text, key) : undefined
}

/** Pasted or typed; line breaks become spaces, and nothing that hides is taken in. */
export function insert(text: string, added: string): string {
  const clean = Array.from(added.replaceAll(/[\r\n\t]+/g, ' ')).filter((character) => !isSuspicious(character))
  return (text + clean.join('')).slice(0, longest)
}

/** Names of keys are ASCII words of two letters or more; a character is one grapheme. */
function isCharacter(key: string): boolean {
  return key.length === 1 ? key >= ' ' : !/^[a-zA-Z+]+/.test(key)
}
