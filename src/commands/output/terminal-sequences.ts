/**
 * Text for a terminal, taken apart as ECMA-48 (https://ecma-international.org/publications-and-standards/standards/ecma-48/)
 * and xterm read it: characters, controls, escape and control sequences. What carries a string (titles, clipboards, colours,
 * images, keys to be programmed) is left out whole. Text may come cut anywhere. Pure.
 */

export interface TerminalParts {
  /** Printable characters. */
  text(text: string): void
  /** One C0 control other than ESC. */
  control(character: string): void
  /** ESC, `(`, `B`: intermediates and the final character. */
  escape(intermediates: string, final: string): void
  /** CSI: `?` and its like, parameters as they stand, intermediates, the final character. */
  sequence(sequence: ControlSequence): void
}

export interface ControlSequence {
  readonly marker: string
  readonly parameters: string
  readonly intermediates: string
  readonly final: string
}

type State = 'ground' | 'escape' | 'csi' | 'csi-lost' | 'string' | 'string-escape'

const longestSequence = 64
/**
 * A terminal would swallow everything behind a string that never ends. Here it ends with its line or after so many
 * characters: rather some rubbish on the screen than text that somebody hid.
 */
const longestString = 65_536

export function createTerminalReader(parts: TerminalParts): (text: string) => void {
  let state: State = 'ground'
  let held = ''
  let length = 0

  function enter(next: State): void {
    state = next
    held = ''
    length = 0
  }

  function ground(character: string, code: number): void {
    if (code === 0x1b) enter('escape')
    else if (code < 0x20) parts.control(character)
    // C1, which some terminals obey in UTF-8 too.
    else if (code === 0x9b) enter('csi')
    else if (code === 0x90 || code === 0x98 || code === 0x9d || code === 0x9e || code === 0x9f) enter('string')
    else if (code < 0x7f || code > 0x9f) parts.text(character)
  }

  function behindEscape(character: string, code: number): void {
    if (code >= 0x20 && code <= 0x2f) held += held.length < longestSequence ? character : ''
    else if (held !== '') {
      const intermediates = held
      enter('ground')
      parts.escape(intermediates, character)
    } else if (character === '[') enter('csi')
    // `k` is how screen and tmux take a title.
    else if (']PX^_k'.includes(character)) enter('string')
    else {
      enter('ground')
      parts.escape('', character)
    }
  }

  function csi(character: string, code: number): void {
    if (code >= 0x40 && code <= 0x7e) {
      const whole = /^([<=>?]*)([0-9:;]*)([ -/]*)$/.exec(state === 'csi' ? held : '\0')
      enter('ground')
      const [, marker, parameters, intermediates] = whole ?? []
      if (marker !== undefined && parameters !== undefined && intermediates !== undefined)
        parts.sequence({ marker, parameters, intermediates, final: character })
    } else if (code > 0x7e) enter('ground')
    else if (held.length >= longestSequence) state = 'csi-lost'
    else held += character
  }

  function string(character: string, code: number): void {
    length += 1
    if (code === 0x07 || code === 0x9c) enter('ground')
    else if (code === 0x1b) state = 'string-escape'
    else if (code === 0x0a || code === 0x0d) {
      enter('ground')
      parts.control(character)
    } else if (length > longestString) enter('ground')
  }

  function read(character: string): void {
    const code = character.charCodeAt(0)
    const ends = state === 'string-escape' && character === '\\'
    // Any other character behind the ESC begins a sequence of its own.
    if (state === 'string-escape') enter(ends ? 'ground' : 'escape')
    if (ends) return
    if (state === 'ground') ground(character, code)
    else if (state === 'string') string(character, code)
    else if (code === 0x1b) enter('escape')
    else if (code === 0x18 || code === 0x1a) enter('ground')
    // Obeyed in the middle of a sequence, as terminals do.
    else if (code < 0x20) parts.control(character)
    else if (state === 'escape') behindEscape(character, code)
    else csi(character, code)
  }

  return (text) => {
    for (let at = 0; at < text.length; ) {
      const end = state === 'ground' ? printableEnd(text, at) : at
      if (end > at) parts.text(text.slice(at, end))
      else read(text.charAt(at))
      at = Math.max(end, at + 1)
    }
  }
}

/** Most of a text is printable, and is handed on in one piece. */
function printableEnd(text: string, from: number): number {
  let at = from
  for (; at < text.length; at += 1) {
    const code = text.charCodeAt(at)
    if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) break
  }
  return at
}
