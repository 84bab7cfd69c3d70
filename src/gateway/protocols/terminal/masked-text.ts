/**
 * Masks a stream of text whose pieces are cut anywhere: what a detector finds is hidden, also across pieces.
 *
 * A line is looked at when it is complete, so that the same bytes give the same answer however they are cut; the line that
 * has begun is kept back until then. A line without an end is looked at in windows of 64 KiB that overlap: whatever is up
 * to 16 KiB long is found in it. A finding that goes on behind the end of its line (a private key) keeps lines back until
 * it ends, 64 KiB of them at most. What goes on with a finding that a flush has shown hidden stays hidden.
 *
 * Not found: what is parted by moves of the cursor, backspaces or line breaks of a program's own; and what a flush cut in
 * two.
 */
import type { Masks } from '../../checkpoint.ts'
import { bytesAsText, unfinishedCharacter } from './bytes-as-text.ts'
import { type Hidden, type Line, type Looked, lookAt, shownOf } from './hidden.ts'
import { copyVisible, endOfBegun, sequencesOf, unfinishedSequence, visibleText } from './visible-text.ts'
import { boundaryBefore, isArmour, isWholeWord, wordLength } from './words.ts'

export interface MaskedText {
  /** What may be shown of what has come so far. Some of it may be kept back until more has come. */
  push(bytes: Buffer): Buffer
  /** What was kept back, masked as it stands: at the end, or when it has waited long enough. */
  flush(): Buffer
  /** Something is kept back. */
  readonly waiting: boolean
  /** Something has been hidden. */
  readonly masked: boolean
}

const newline = 0x0a
const esc = 0x1b
/** Of a line without an end. */
const longestLine = 64 * 1024
const overlap = 16 * 1024
/** Of a finding over several lines. */
const longestBlock = 64 * 1024
/** As much of its first line as tells whether a block has ended. */
const longestOpening = 1024
/** Lines are passed over together where nothing in them is suspicious. */
const glanceBytes = 4096
const nothing = Buffer.alloc(0)

interface Block {
  readonly opening: string
  readonly lines: Buffer[]
  length: number
}

export function createMaskedText(masks: Masks): MaskedText {
  /** The line that has begun. */
  let parts: Buffer[] = []
  let length = 0
  /** A finding that goes on behind its line, and the lines since. */
  let block: Block | undefined
  /** What comes next may go on with a word that was hidden, or with a block. */
  let afterWord = false
  let afterBlock = false
  /** Where a flush cut a sequence or a character in two: what is out of it, and bytes that a character lacks. */
  let begun: { readonly bytes: Buffer; readonly missing: number } | undefined
  let masked = false

  function take(): Line {
    if (begun !== undefined) parts.unshift(begun.bytes)
    const bytes = parts.length === 1 ? (parts[0] ?? nothing) : Buffer.concat(parts)
    const sent = begun?.bytes.length ?? 0
    const passed = begun === undefined ? 0 : endOfBegun(bytes, sent, begun.missing)
    parts = []
    length = 0
    begun = undefined
    return { bytes, sent, passed }
  }

  function look(line: Line): Looked {
    const looked = lookAt(line, masks)
    if (!afterWord) return looked
    const text = looked.visible.bytes
    const rest = wordLength(text)
    // What has nothing visible in it says nothing about the word.
    afterWord = rest === text.length
    return rest === 0 ? looked : { ...looked, hidden: withRest(looked.hidden, rest) }
  }

  function show(looked: Looked, to?: number): Buffer {
    if (looked.hidden.length > 0 || looked.retold.size > 0) masked = true
    return shownOf(looked, to)
  }

  function finishLine(): Buffer {
    const line = take()
    if (block !== undefined) return goOn(block, line.bytes)
    if (afterBlock) {
      const visible = visibleText(line.bytes, line.passed)
      afterBlock = isArmour(visible.bytes)
      if (afterBlock) return sequencesOf(line.bytes, visible).subarray(line.sent)
    }
    const looked = look(line)
    const { visible, hidden } = looked
    const last = hidden.at(-1)
    if (last === undefined || last.end < visible.bytes.length) return show(looked)
    // It covers even the end of the line: only what goes on behind it does.
    const opening = bytesAsText(visible.bytes.subarray(last.start)).text.slice(0, longestOpening)
    const rest = line.bytes.subarray(visible.place(last.start))
    block = { opening, lines: [rest], length: rest.length }
    return show(looked, last.start)
  }

  function goOn(open: Block, line: Buffer): Buffer {
    open.lines.push(line)
    open.length += line.length
    const text = open.opening + bytesAsText(visibleText(line).bytes).text
    const isOpen = (masks.find(text)[0]?.end ?? 0) >= text.length
    if (!isOpen) return closeBlock(open)
    if (open.length < longestBlock) return nothing
    afterBlock = true
    return closeBlock(open)
  }

  function closeBlock({ lines }: Block): Buffer {
    block = undefined
    return show(lookAt({ bytes: Buffer.concat(lines), sent: 0, passed: 0 }, masks))
  }

  /** A window of a line that does not end. */
  function cutLine(): Buffer {
    const line = take()
    if (block !== undefined) {
      block.lines.push(line.bytes)
      afterBlock = true
      afterWord = true
      return closeBlock(block)
    }
    const looked = look(line)
    const cut = placeToCut(looked)
    if (cut === undefined) afterWord = true
    const shown = show(looked, cut)
    const rest = cut === undefined ? nothing : line.bytes.subarray(looked.visible.place(cut))
    if (rest.length > 0) parts = [rest]
    length = rest.length
    return shown
  }

  function push(bytes: Buffer): Buffer {
    const out: Buffer[] = []
    let suspiciousUntil = 0
    for (let at = 0; at < bytes.length; ) {
      if (at >= suspiciousUntil && isFresh()) {
        const end = bytes.lastIndexOf(newline, at + glanceBytes - 1) + 1
        if (end > at && isClean(masks, bytes.subarray(at, end))) {
          out.push(bytes.subarray(at, end))
          at = end
          continue
        }
        suspiciousUntil = end
      }
      const found = bytes.indexOf(newline, at)
      const end = Math.min(found < 0 ? bytes.length : found + 1, at + longestLine - length)
      parts.push(bytes.subarray(at, end))
      length += end - at
      at = end
      if (bytes[end - 1] === newline) out.push(finishLine())
      else if (length === longestLine) out.push(cutLine())
    }
    return out.length === 1 ? (out[0] ?? nothing) : Buffer.concat(out)
  }

  function isFresh(): boolean {
    return length === 0 && block === undefined && !afterBlock && !afterWord && begun === undefined
  }

  function flush(): Buffer {
    const out: Buffer[] = []
    if (block !== undefined) {
      // The line that has begun belongs to it as far as it looks so; a prompt behind it does not.
      const begunLine = Buffer.concat(parts)
      const text = visibleText(begunLine).bytes
      afterWord = isWholeWord(text)
      if (afterWord) block.lines.push(take().bytes)
      afterBlock = true
      out.push(closeBlock(block))
    }
    if (length > 0) out.push(flushLine())
    return Buffer.concat(out)
  }

  function flushLine(): Buffer {
    const line = take()
    const { bytes, passed } = line
    const isOfBlock = afterBlock && isWholeWord(visibleText(bytes, passed).bytes)
    afterBlock = isOfBlock
    afterWord ||= isOfBlock
    const looked = look(line)
    const last = looked.hidden.at(-1)
    if (last !== undefined && last.end === looked.visible.bytes.length) afterWord = true
    const sequence = unfinishedSequence(bytes, passed < bytes.length ? passed : 0)
    const character = unfinishedCharacter(bytes)
    if (sequence > 0) begun = { bytes: bytes.subarray(-sequence), missing: 0 }
    else if (character.begun > 0) begun = { bytes: bytes.subarray(-character.begun), missing: character.missing }
    return show(looked)
  }

  return {
    push,
    flush,
    get waiting() {
      return length > 0 || block !== undefined
    },
    get masked() {
      return masked
    },
  }
}

/** Whatever it is a part of, nothing in it is hidden. Lines that say nothing together say nothing one by one. */
function isClean(masks: Masks, lines: Buffer): boolean {
  if (lines.indexOf(esc) < 0) return saysNothing(masks, lines)
  if (lines.length > glanceBytes) return false
  const length = copyVisible(lines, scratch)
  return length !== undefined && saysNothing(masks, scratch.subarray(0, length))
}

function saysNothing(masks: Masks, lines: Buffer): boolean {
  return !masks.suspects(lines, 0, lines.length) || masks.find(bytesAsText(lines).text).length === 0
}

const scratch = Buffer.alloc(glanceBytes)

/** Where in the visible text of a window the next one begins; undefined where the whole window is one finding. */
function placeToCut({ visible, hidden }: Looked): number | undefined {
  const whole = visible.bytes.length
  const wanted = boundaryBefore(visible.bytes, Math.max(whole - overlap, whole >> 1))
  // Nearly nothing but sequences: what there is of text has been seen together.
  const cut = visible.place(wanted) < longestLine / 4 ? whole : wanted
  const across = hidden.find(({ start, end }) => start < cut && end > cut)
  if (across === undefined) return cut
  if (across.end < whole) return across.end
  return across.start > 0 ? across.start : undefined
}

/** The rest of a hidden word at the beginning of a line. */
function withRest(hidden: readonly Hidden[], rest: number): readonly Hidden[] {
  const [first, ...others] = hidden
  if (first === undefined || first.start >= rest) return [{ start: 0, end: rest, instead: nothing }, ...hidden]
  return [{ ...first, start: 0, end: Math.max(rest, first.end) }, ...others]
}
