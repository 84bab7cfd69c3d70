/**
 * Makes characters visible that would command the terminal, hide, or look like a plain space. What a reviewer reads was
 * written by the one under review: it may carry escape sequences, text that reorders itself, or words nobody can see.
 */
import type { Line, Span } from './span.ts'

/**
 * Controls (C0, DEL, C1), format characters (bidirectional overrides, zero width, tags), surrogates that stand alone,
 * private and unassigned ones, whatever Unicode lets a renderer ignore, separators other than the plain space, and skin
 * tones, which terminals measure differently.
 */
const suspicious =
  /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Cn}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\p{Emoji_Modifier}]|(?! )\p{Zs}/u
const runs = new RegExp(`(?:${suspicious.source})+`, 'gu')

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

/** As one string, for where no tone can tell a stand-in from the same characters typed: names, titles. */
export function visible(text: string): string {
  return text.replaceAll(runs, (run) => Array.from(run, standIn).join(''))
}

/** As spans, stand-ins in their own tone. Line breaks are shown too: this is for one line. */
export function visibleSpans(text: string, tone?: Span['tone']): Line {
  const spans: Span[] = []
  let from = 0
  for (const { 0: run, index } of text.matchAll(runs)) {
    if (index > from) spans.push({ text: text.slice(from, index), tone })
    spans.push({ text: Array.from(run, standIn).join(''), tone: 'hidden' })
    from = index + run.length
  }
  if (from < text.length) spans.push({ text: text.slice(from), tone })
  return spans
}

/** The beginning of a text of any length on one line, for lists. `↵` keeps what follows a `--` from looking like comment. */
export function excerpt(text: string, length = 500): string {
  const line = text
    .slice(0, length)
    .trim()
    .replaceAll(/[ \t]*\r?\n[ \t\r\n]*/g, ' ↵ ')
    .replaceAll(/[ \t]+/g, ' ')
  return visible(line)
}
