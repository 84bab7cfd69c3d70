/**
 * What a recording may do to the reader's terminal: write, colour, move the cursor, use the other screen. It came from a
 * target, so everything else is left out: what makes a terminal answer as if somebody typed (device and status queries),
 * sets its title, clipboard, palette or keys, asks for mouse or focus reports, prints, resizes, or clears what was there
 * before. A list of what is let through, so that what a terminal learns tomorrow stays out. Pure.
 */
import { type ControlSequence, createTerminalReader } from './terminal-sequences.ts'

export interface SafeTerminal {
  /** May be cut anywhere. */
  pass(text: string): string
  /** What gives the terminal back as it was. */
  restore(): string
}

/** Backspace, tab, line feeds, carriage return, character set shifts. No bell; no ENQ, which makes a terminal answer. */
const controls = new Set('\b\t\n\v\f\r\u000e\u000f')
/** Cursor, erasing, inserting, scrolling, tabs, colours, margins, saved cursor. */
const finals = new Set('@ABCDEFGHIJKLMPSTXZ`abdefgmrsu')
const modes = new Set(['4', '20'])
/** Reverse video, origin, wrapping, blinking and visible cursor, left and right margins, the other screen. */
const privateModes = new Set(['5', '6', '7', '12', '25', '45', '69', '47', '1047', '1048', '1049'])
const otherScreens = ['47', '1047', '1049']

export function createSafeTerminal(): SafeTerminal {
  let out = ''
  const set = new Set<string>()
  let hasMargins = false

  const read = createTerminalReader({
    text(text) {
      out += text
    },
    control(character) {
      if (controls.has(character)) out += character
    },
    escape(intermediates, final) {
      // A full reset would take the reader's own lines away: the screen is cleared instead.
      if (intermediates === '' && final === 'c') out += '\u001b[!p\u001b[H\u001b[2J'
      else if (isSafeEscape(intermediates, final)) out += `\u001b${intermediates}${final}`
    },
    sequence(sequence) {
      const parameters = safeParameters(sequence)
      if (parameters === undefined) return
      const { marker, intermediates, final } = sequence
      if (final === 'r') hasMargins = true
      for (const mode of parameters.split(';')) {
        if (final === 'h') set.add(marker + mode)
        if (final === 'l') set.delete(marker + mode)
      }
      out += `\u001b[${marker}${parameters}${intermediates}${final}`
    },
  })

  return {
    pass(text) {
      out = ''
      read(text)
      return out
    },
    restore() {
      const has = (mode: string) => set.has(mode)
      const parts = [
        // Leaving the other screen puts the cursor back to where it was saved: only who is there may.
        otherScreens.some((mode) => has(`?${mode}`)) ? '\u001b[?1049l' : '',
        // Both move the cursor.
        hasMargins || has('?6') || has('?69') ? '\u001b7\u001b[?6l\u001b[?69l\u001b[r\u001b8' : '',
        has('?5') ? '\u001b[?5l' : '',
        has('4') ? '\u001b[4l' : '',
        has('20') ? '\u001b[20l' : '',
        '\u001b[?7h\u001b[?25h\u001b[0 q\u001b(B\u000f\u001b[0m',
      ]
      set.clear()
      hasMargins = false
      return parts.join('')
    },
  }
}

function isSafeEscape(intermediates: string, final: string): boolean {
  if (intermediates === '') return '78DEHM'.includes(final)
  // Character sets (line drawing), and lines of double size. Not `%`, which leaves UTF-8.
  if (/^[()*+]$/.test(intermediates)) return '0AB'.includes(final)
  return intermediates === '#' && '34568'.includes(final)
}

/** The parameters that may stay; undefined: the sequence may not. */
function safeParameters({ marker, parameters, intermediates, final }: ControlSequence): string | undefined {
  // A number without a sensible limit is a loop in somebody's terminal.
  if (/\d{6}/.test(parameters)) return undefined
  if (intermediates !== '') {
    const known = ['!p', ' q', '"q'].includes(intermediates + final)
    return marker === '' && known ? parameters : undefined
  }
  if (final === 'h' || final === 'l') {
    const known = marker === '' ? modes : marker === '?' ? privateModes : undefined
    const kept = parameters.split(';').filter((mode) => known?.has(mode))
    return kept.length === 0 ? undefined : kept.join(';')
  }
  // `3J` erases what was on the screen before.
  if (final === 'J' && parameters.split(';').some((what) => Number(what) === 3)) return undefined
  if (marker === '?') return final === 'J' || final === 'K' ? parameters : undefined
  return marker === '' && finals.has(final) ? parameters : undefined
}
