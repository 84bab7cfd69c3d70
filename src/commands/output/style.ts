/** Colours by meaning. Whether they are used at all is decided once, from the terminal, NO_COLOR and FORCE_COLOR. */
import { stripVTControlCharacters, styleText } from 'node:util'

const formats = {
  heading: ['bold'],
  quiet: ['dim'],
  good: ['green'],
  bad: ['red'],
  waiting: ['yellow'],
  name: ['cyan'],
} as const satisfies Record<string, readonly Parameters<typeof styleText>[0][]>

export type Meaning = keyof typeof formats
export type Style = (meaning: Meaning, text: string) => string

export const plain: Style = (_meaning, text) => text

export const coloured: Style = (meaning, text) =>
  text === '' ? text : styleText([...formats[meaning]], text, { validateStream: false })

/** https://no-color.org and https://force-color.org: an empty variable counts as unset; NO_COLOR wins. */
export function styleFor(isTty: boolean, env: Readonly<Record<string, string | undefined>>): Style {
  if (env.NO_COLOR) return plain
  if (env.FORCE_COLOR) return env.FORCE_COLOR === '0' ? plain : coloured
  return isTty && env.TERM !== 'dumb' ? coloured : plain
}

/** Cells that a text takes on a terminal: no escapes, wide characters as two, combining ones as none. */
export function widthOf(text: string): number {
  let width = 0
  for (const character of stripVTControlCharacters(text)) {
    if (/\p{Mark}/u.test(character)) continue
    width += isWide(character.codePointAt(0) ?? 0) ? 2 : 1
  }
  return width
}

/** East Asian wide and emoji blocks, roughly: enough to keep columns straight. */
function isWide(code: number): boolean {
  return (
    (code >= 0x1100 && code <= 0x115f) ||
    (code >= 0x2e80 && code <= 0xa4cf) ||
    (code >= 0xac00 && code <= 0xd7a3) ||
    (code >= 0xf900 && code <= 0xfaff) ||
    (code >= 0xfe30 && code <= 0xfe6f) ||
    (code >= 0xff00 && code <= 0xff60) ||
    (code >= 0x1f300 && code <= 0x1faff) ||
    (code >= 0x20000 && code <= 0x3fffd)
  )
}

/** Cut to this many cells, with an ellipsis where something is missing. For text without escapes. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text
  let kept = ''
  let used = 0
  for (const character of text) {
    const cells = widthOf(character)
    if (used + cells > width - 1) break
    kept += character
    used += cells
  }
  return `${kept}…`
}
