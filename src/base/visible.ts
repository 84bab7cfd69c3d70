/**
 * Text from outside, made safe to show: a statement or a reason can carry terminal escapes that move the cursor, hide
 * lines or retitle the window, text that reorders itself, or words nobody can see (https://trojansource.codes). They are
 * shown and never obeyed, everywhere in the same way.
 */

/**
 * Controls (C0, DEL, C1), format characters (bidirectional overrides, zero width, tags), surrogates that stand alone,
 * private and unassigned ones, whatever Unicode lets a renderer ignore, separators other than the plain space, and skin
 * tones, which terminals measure differently.
 */
const suspicious =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}]|(?! )\p{Zs}/u
const each = new RegExp(suspicious.source, 'gu')

/** Stretches of suspicious characters. */
export const suspiciousRuns = new RegExp(`(?:${suspicious.source})+`, 'gu')

export function isSuspicious(character: string): boolean {
  return suspicious.test(character)
}

/** `␛` for ESC, `␤` for a line feed, `<U+202E>` for what has no picture. */
export function standIn(character: string): string {
  const code = character.codePointAt(0) ?? 0
  if (code < 0x20) return String.fromCodePoint(0x2400 + code)
  if (code === 0x7f) return '␡'
  return `<U+${code.toString(16).toUpperCase().padStart(4, '0')}>`
}

/** Keeps line feeds and tabs; for places where a text may have several lines. */
export function visible(text: string): string {
  return text
    .replaceAll('\r\n', '\n')
    .replaceAll(each, (character) => (character === '\n' || character === '\t' ? character : standIn(character)))
}

/** One line: a line feed is shown as ↵, so that what follows a `--` comment does not look like a part of it. */
export function visibleLine(text: string): string {
  return text
    .trim()
    .replaceAll(/[ \t]*\r?\n[ \t\r\n]*/g, ' ↵ ')
    .replaceAll('\t', ' ')
    .replaceAll(each, standIn)
}
