/**
 * Where terminals stop reading text and start reading instructions: ECMA-48 control sequences and strings, as xterm takes
 * them. Pure. Only what begins with ESC: the 8-bit forms are no UTF-8, and terminals that read UTF-8 do not obey them.
 */

export interface Sequence {
  /** The first byte behind it. */
  readonly end: number
  /** What a string (a title, a link) carries; elsewhere both are `end`. */
  readonly payload: { readonly start: number; readonly end: number } | undefined
  /** Text before and after it stands together on the screen: colours, modes, erasing to the end of the line. */
  readonly joins: boolean
}

const esc = 0x1b
const bell = 0x07
const newline = 0x0a
/** Longer ones are no instructions that any terminal obeys; what stands there is looked at as text. */
const longestControl = 128
const longestString = 4096

/** The sequence that starts here; undefined where its end has not come. */
export function sequenceAt(bytes: Uint8Array, start: number, end: number): Sequence | undefined {
  const kind = bytes[start + 1]
  if (start + 1 >= end || kind === undefined) return undefined
  switch (kind) {
    case 0x5b:
      return controlAt(bytes, start, end)
    case 0x5d:
    case 0x50:
    case 0x58:
    case 0x5e:
    case 0x5f:
      return stringAt(bytes, start, end)
    default:
      return shortAt(bytes, start, end)
  }
}

/** CSI: parameters, intermediates, a final byte. */
function controlAt(bytes: Uint8Array, start: number, end: number): Sequence | undefined {
  const limit = Math.min(end, start + longestControl)
  for (let at = start + 2; at < limit; at++) {
    const byte = bytes[at] as number
    if (byte >= 0x40 && byte <= 0x7e) return { end: at + 1, payload: undefined, joins: joining.has(byte) }
    if (byte < 0x20 || byte > 0x3f) return { end: at, payload: undefined, joins: false }
  }
  return limit < end || end - start >= longestControl ? { end: limit, payload: undefined, joins: false } : undefined
}

/** `m` colours, `K` erases behind the cursor, `h` and `l` modes, `q` the cursor's look, `n` and `c` questions. */
const joining = new Set(Array.from('mKhlqnc', (letter) => letter.charCodeAt(0)))

function stringAt(bytes: Uint8Array, start: number, end: number): Sequence | undefined {
  const from = start + 2
  const limit = Math.min(end, start + longestString)
  // What has no end before the line's is no string: what it says is text.
  const none = { end: from, payload: undefined, joins: true }
  for (let at = from; at < limit; at++) {
    const byte = bytes[at] as number
    if (byte === bell) return { end: at + 1, payload: { start: from, end: at }, joins: true }
    if (byte === newline || byte === 0x18 || byte === 0x1a) return none
    if (byte !== esc) continue
    if (at + 1 >= end) return undefined
    return bytes[at + 1] === 0x5c ? { end: at + 2, payload: { start: from, end: at }, joins: true } : none
  }
  return limit < end || end - start >= longestString ? none : undefined
}

/** ESC and one byte, with intermediates before it: character sets, keypad modes, and moves of the cursor. */
function shortAt(bytes: Uint8Array, start: number, end: number): Sequence | undefined {
  const limit = Math.min(end, start + longestControl)
  for (let at = start + 1; at < limit; at++) {
    const byte = bytes[at] as number
    if (byte >= 0x20 && byte <= 0x2f) continue
    const isFinal = byte >= 0x30 && byte <= 0x7e
    return { end: isFinal ? at + 1 : at, payload: undefined, joins: isFinal && !moving.has(byte) }
  }
  return limit < end || end - start >= longestControl ? { end: limit, payload: undefined, joins: false } : undefined
}

/** IND, NEL, RI, save, restore, full reset. */
const moving = new Set(Array.from('DEM78c', (letter) => letter.charCodeAt(0)))
