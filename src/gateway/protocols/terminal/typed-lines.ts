/**
 * Keys on their way to an interactive shell. All of them pass, but an Enter waits: the line it would send is read, judged
 * and written down, and only then does it go through. A refused line is thrown away with ^C.
 *
 * When a line is done nobody can know: the next prompt looks like any output. It is settled when the next line is sent, or
 * at the end, with what was shown since.
 */
import { setTimeout as pause } from 'node:timers/promises'
import type { Clock } from '../../../base/clock.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Asking, Clearance, Permit } from '../../checkpoint.ts'
import type { LineJudge } from './line-judge.ts'
import { holdLines } from './refusals.ts'
import type { TypedLine, TypedLineReader } from './typed-line.ts'

export interface TypedLinesParts {
  readonly reader: TypedLineReader
  readonly judge: LineJudge
  readonly clock: Clock
  /** Aborted when the shell ends, or whoever types is gone. */
  readonly signal: AbortSignal
  /** To the target; resolves when there is room for more. */
  send(bytes: Buffer): Promise<void>
  /** To the person at the terminal, on lines of their own. */
  tell(lines: readonly string[]): void
  /** What was typed, for the recording. */
  typed(line: string): void
  /** A line that was refused will not go away: nothing more may be sent. */
  onStuck(): void
  onDefect(error: unknown): void
}

export interface TypedLines {
  take(keys: Buffer): void
  /** Something was shown; the reader has it already. */
  noticed(bytes: number): void
  /** Resolves when more keys may come; undefined: they may. */
  room(): Promise<void> | undefined
  /** What echoes a key at once: was one sent just now? */
  isEcho(shown: Buffer): boolean
  /** Resolves when every key that came has been dealt with. */
  idle(): Promise<void>
  end(): void
}

const interrupt = Buffer.from('\x03')
const endAndKill = Buffer.from('\x05\x15')
const pasteBegins = '\x1b[200~'
const pasteEnds = '\x1b[201~'
const mostWaiting = 256 * 1024

/** The screen is at rest when nothing has come for so long; nothing shown at all takes longer to believe. */
const restMs = 150
const silenceMs = 400
const longestSilenceMs = 2000
const longestWaitMs = 3000
/** A prompt comes in one piece, or in pieces that are not this far apart. */
const promptRestMs = 50
const pasteRestMs = 60
const longestPasteRestMs = 1000
const lookEveryMs = 10
const echoWithinMs = 300

export function createTypedLines({
  reader,
  judge,
  clock,
  signal,
  send,
  tell,
  typed,
  onStuck,
  onDefect,
}: TypedLinesParts): TypedLines {
  let queue: Buffer[] = []
  let waiting = 0
  let running: Promise<void> = Promise.resolve()
  let isRunning = false
  let roomMade: (() => void) | undefined
  /** While a line is held: ^C gives it up. */
  let hold: AbortController | undefined
  let lastShown = clock.elapsed()
  let lastKey = clock.elapsed()
  let lastKeys: Buffer = Buffer.alloc(0)
  /** How long the target takes to show what a key did. */
  let lag = 0
  let bytesOut = 0
  /** In a paste, and behind its first Enter, which ended it for the shell. */
  let inPaste = false
  let pasteEnded = false
  let discarding = false
  let open: { readonly permit: Permit; readonly bytesBefore: number } | undefined

  function take(keys: Buffer): void {
    if (hold !== undefined && keys.includes(interrupt)) {
      hold.abort()
      queue = []
      waiting = 0
      return
    }
    queue.push(keys)
    waiting += keys.length
    if (isRunning) return
    isRunning = true
    running = run()
      .catch(onDefect)
      .finally(() => {
        isRunning = false
      })
  }

  async function run(): Promise<void> {
    for (let keys = queue.shift(); keys !== undefined && !signal.aborted; keys = queue.shift()) {
      waiting -= keys.length
      if (waiting < mostWaiting / 2) roomMade?.()
      const at = keys.findIndex(isEnter)
      const before = brackets(at < 0 ? keys : keys.subarray(0, at))
      if (before.length > 0) await press(before)
      if (at < 0) continue
      const rest = keys.subarray(at + 1)
      if (rest.length > 0) {
        queue.unshift(rest)
        waiting += rest.length
      }
      if (discarding) continue
      await enter(keys.subarray(at, at + 1))
      // What was pasted comes at once: the shell gets time to show where it stands.
      if (queue.length > 0) await calm(pasteRestMs, longestPasteRestMs)
    }
  }

  /** Each line of a paste is judged on its own, so the brackets around several lines end with the first of them. */
  function brackets(keys: Buffer): Buffer {
    let text = keys.toString('latin1')
    if (pasteEnded || discarding) {
      const end = text.indexOf(pasteEnds)
      if (end >= 0) {
        text = (discarding ? '' : text.slice(0, end)) + text.slice(end + pasteEnds.length)
        pasteEnded = false
        discarding = false
      } else if (discarding) return Buffer.alloc(0)
    }
    const begin = text.lastIndexOf(pasteBegins)
    if (begin >= 0 || text.includes(pasteEnds)) inPaste = begin > text.lastIndexOf(pasteEnds)
    return text.length === keys.length ? keys : Buffer.from(text, 'latin1')
  }

  async function press(keys: Buffer): Promise<void> {
    const now = clock.elapsed()
    reader.typed(keys, now - lastShown >= promptRestMs)
    lastKey = now
    lastKeys = keys
    await send(keys)
  }

  async function enter(key: Buffer): Promise<void> {
    if (inPaste) {
      inPaste = false
      pasteEnded = true
      await press(Buffer.from(pasteEnds))
    }
    const line = await settledLine()
    switch (line.kind) {
      case 'screen':
        return await press(key)
      case 'unreadable':
        return await sayNo(await judge.unreadable(line.why))
      case 'hidden':
        return await decide(line, key, judge.hidden)
      case 'line':
        if (line.text.trim() === '') return await press(enterFor(key))
        return await decide(line, key, (asking) => judge.line(line.text, asking))
      default:
        return line satisfies never
    }
  }

  async function decide(
    line: TypedLine & { kind: 'line' | 'hidden' },
    key: Buffer,
    clear: (asking: Asking) => Promise<Clearance>,
  ): Promise<void> {
    hold = new AbortController()
    const givenUp = hold.signal
    const clearance = await clear({
      signal: AbortSignal.any([signal, givenUp]),
      onHold(held) {
        tell([...holdLines(held), '^C gives up'])
      },
    })
    hold = undefined
    if ('refusal' in clearance) return await sayNo(clearance.refusal)
    const [permit] = clearance.permits
    if (permit === undefined) throw new Error('no permit')
    // Exactly what was judged: while people decided, something else may have come to stand there.
    const now = await reader.line()
    if (!isTheSame(line, now)) {
      judge.settle(permit, { status: 'not-run' })
      return await sayNo({
        code: 'cancelled',
        message: 'not run: the line changed while it was judged',
        next: 'send it again',
      })
    }
    settleOpen()
    open = { permit, bytesBefore: bytesOut }
    if (line.kind === 'line') typed(line.text)
    await press(enterFor(key))
  }

  function settleOpen(): void {
    if (open === undefined) return
    const { permit, bytesBefore } = open
    open = undefined
    judge.settle(permit, { status: 'done', bytesOut: bytesOut - bytesBefore, summary: 'sent to the shell' })
  }

  /** What is at the prompt goes, and what was typed behind it. */
  async function sayNo(refusal: Refusal): Promise<void> {
    queue = []
    waiting = 0
    roomMade?.()
    discarding = pasteEnded
    if (signal.aborted) return
    tell([refusal.message, `next: ${refusal.next}`])
    await press(interrupt)
    if (await isGone()) return
    await press(endAndKill)
    if (await isGone()) return
    onStuck()
  }

  async function isGone(): Promise<boolean> {
    await calm(restMs, silenceMs)
    const line = await reader.line()
    return line.kind !== 'unreadable'
  }

  async function calm(forMs: number, atMostMs: number): Promise<void> {
    const until = clock.elapsed() + atMostMs
    while (clock.elapsed() < until && clock.elapsed() - Math.max(lastShown, lastKey) < forMs && !signal.aborted)
      await pause(lookEveryMs)
  }

  /** The echo of the last keys may still be under way. */
  async function settledLine(): Promise<TypedLine> {
    const began = clock.elapsed()
    for (;;) {
      const line = await reader.line()
      if (line.kind === 'screen' || (line.kind === 'line' && line.certain) || signal.aborted) return line
      const now = clock.elapsed()
      const quiet = now - Math.max(lastShown, lastKey)
      const silence = Math.min(longestSilenceMs, Math.max(silenceMs, 4 * lag))
      if (line.kind === 'line' ? quiet >= restMs && lastShown > lastKey : quiet >= silence) return line
      if (now - began >= longestWaitMs)
        return line.kind === 'hidden' ? line : { kind: 'unreadable', why: 'the screen does not say what the keys did' }
      await pause(lookEveryMs)
    }
  }

  return {
    take,
    noticed(bytes) {
      const now = clock.elapsed()
      if (lastKey > lastShown) lag = Math.max(lag * 0.9, now - lastKey)
      lastShown = now
      bytesOut += bytes
    },
    room() {
      if (waiting < mostWaiting) return undefined
      return new Promise((resolve) => {
        roomMade = resolve
      })
    },
    isEcho: (shown) =>
      shown.length <= 64 && clock.elapsed() - lastKey < echoWithinMs && shown.indexOf(lastKeys.subarray(0, 8)) === 0,
    idle: () => running,
    end: settleOpen,
  }
}

function isEnter(byte: number): boolean {
  return byte === 0x0d || byte === 0x0a || byte === 0x0f
}

/** ^O would fetch the next line of the history, unseen, for the next Enter. */
function enterFor(key: Buffer): Buffer {
  return key[0] === 0x0f ? Buffer.from('\r') : key
}

function isTheSame(line: TypedLine, now: TypedLine): boolean {
  return line.kind === 'line' ? now.kind === 'line' && now.text === line.text : now.kind === line.kind
}
