/**
 * What has been typed since the last line was sent, as far as that can be told from the keys alone: signs, and the last of
 * them taken back. Any other key (arrows, completion, history) leaves it to the screen to say what stands there. Pure.
 */
import { StringDecoder } from 'node:string_decoder'

export interface TypedKeys {
  push(bytes: Uint8Array): void
  /** What came before counts no more. */
  reset(): void
  /** undefined: the keys alone do not tell. */
  readonly text: string | undefined
  /** Signs were typed, whatever became of them. */
  readonly hasSigns: boolean
  /** No key has come that could have done anything to the line. */
  readonly isFresh: boolean
}

export interface TypedKeysEvents {
  /** A line was sent, or given up (`abandoned`, with what was known of it). */
  fresh(abandoned: boolean): void
  /** Of the text so much is left. */
  shortened(length: number): void
}

/** ^C, ^Z, ^\: the terminal throws its line away, unless whoever reads there minds no signals. */
const abandons = new Set(['\x03', '\x1a', '\x1c'])

export function createTypedKeys({ fresh, shortened }: TypedKeysEvents): TypedKeys {
  const decoder = new StringDecoder('utf8')
  let text: string | undefined = ''
  let hasSigns = false
  let isFresh = true
  /** An escape sequence whose end has not been typed. */
  let sequence = ''

  function reset(): void {
    text = ''
    hasSigns = false
    isFresh = true
  }

  function unknown(): void {
    text = undefined
    isFresh = false
  }

  function key(sign: string): void {
    if (sequence !== '') {
      sequence += sign
      if (unfinished.test(sequence)) return
      // Answers of a terminal to what a program has asked it, focus, and the brackets around a paste are no editing.
      if (!reports.test(sequence)) unknown()
      sequence = ''
      return
    }
    if (sign === '\x1b') sequence = sign
    else if (sign === '\r' || sign === '\n') start(false)
    else if (abandons.has(sign)) start(true)
    else if (sign === '\x04' && text === '') start(false)
    else if (sign === '\x15') killLine()
    else if (sign === '\x7f' || sign === '\b') takeBack()
    else if (sign < ' ' || (sign >= '\x7f' && sign < '\xa0')) unknown()
    else {
      hasSigns = true
      isFresh = false
      if (text !== undefined) text += sign
    }
  }

  function start(abandoned: boolean): void {
    if (!abandoned || !isFresh) fresh(abandoned)
    reset()
  }

  /** ^U takes what is before the cursor, which is all where the keys tell the line. */
  function killLine(): void {
    if (text === undefined) return
    text = ''
    shortened(0)
  }

  function takeBack(): void {
    if (text === undefined || text === '') return
    // How much of a composed sign goes with one key is the shell's business.
    if (/[\x20-\x7e]$/.test(text)) {
      text = text.slice(0, -1)
      shortened(text.length)
    } else unknown()
  }

  return {
    push(bytes) {
      for (const sign of decoder.write(Buffer.from(bytes))) key(sign)
    },
    reset,
    get text() {
      return sequence === '' ? text : undefined
    },
    get hasSigns() {
      return hasSigns
    },
    get isFresh() {
      return isFresh
    },
  }
}

/** The beginnings of CSI, SS3, OSC and DCS sequences, and ESC before another key. */
const unfinished = /^\x1b(?:\[[\x20-\x3f]*|O|[\]P](?:[^\x07\x1b]|\x1b(?!\\))*(?:\x1b)?)?$/
const reports = /^\x1b(?:\[(?:\d+;\d+R|\?[\d;]*[cuny]|>[\d;]*c|\d*;?[\d;]*n|[IO]|20[01]~)|[\]P])/
