/**
 * Text from outside, made safe to print: a statement or a reason can carry terminal escapes that move the cursor, hide
 * lines or retitle the window. They are shown and never obeyed. Bidirectional and zero-width characters count too: they
 * make a text read differently from what it says (https://trojansource.codes).
 */

/** C0 and DEL, C1, soft hyphen, zero-width and bidirectional controls, line and paragraph separators, tags, lone surrogates. */
const hidden =
  /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u115f\u1160\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb\u{e0000}-\u{e007f}]|\p{Surrogate}/gu

/** Keeps line feeds and tabs; for places where a text may have several lines. */
export function visible(text: string): string {
  return text.replace(/\r\n/g, '\n').replace(hidden, (character) => {
    if (character === '\n' || character === '\t') return character
    return escaped(character)
  })
}

/** One line: a line feed is shown as ↵, so that what follows a `--` comment does not look like a part of it. */
export function visibleLine(text: string): string {
  return text
    .trim()
    .replace(/[ \t]*\r?\n[ \t\r\n]*/g, ' ↵ ')
    .replace(/\t/g, ' ')
    .replace(hidden, escaped)
}

function escaped(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return `\\u{${code.toString(16)}}`
}
