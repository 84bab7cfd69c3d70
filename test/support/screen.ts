/**
 * A terminal as a program sees it, with what a person would see in it: xterm.js without a window obeys what is written.
 */
import { PassThrough, Writable } from 'node:stream'
import xterm from '@xterm/headless'
import { onTestFinished } from 'vitest'
import type { TerminalIo } from '../../src/tui/source.ts'

export interface TestScreen {
  readonly io: TerminalIo
  /** The rows that are seen now, without the spaces at their ends. */
  rows(): readonly string[]
  text(): string
  /** Everything that was ever written. */
  written(): string
  /** Frames drawn so far. */
  frames(): number
  /** Calls this after each frame that has been drawn from now on. */
  onFrame(look: () => void): void
  /** Is the alternate screen shown? */
  isAlternate(): boolean
  isRaw(): boolean
  press(keys: string): void
  resize(columns: number, rows: number): void
  /** Resolves once this is true of what is seen. */
  until(seen: string | ((text: string) => boolean)): Promise<void>
}

export const keys = {
  enter: '\r',
  escape: '\x1b',
  down: '\x1b[B',
  pageDown: '\x1b[6~',
  ctrlC: '\x03',
  backspace: '\x7f',
  paste: (text: string) => `\x1b[200~${text}\x1b[201~`,
} as const

export function createScreen(columns: number, rows: number): TestScreen {
  // convertEol is what the kernel's terminal does (ONLCR), in Node's raw mode too.
  const terminal = new xterm.Terminal({ cols: columns, rows, convertEol: true, allowProposedApi: true, scrollback: 0 })
  onTestFinished(() => terminal.dispose())
  const waiting = new Set<() => void>()
  let drawn: () => void = () => undefined
  let written = ''
  let raw = false

  const stdout = Object.assign(
    new Writable({
      decodeStrings: false,
      write(chunk: string | Buffer, _encoding, done) {
        written += chunk.toString()
        terminal.write(chunk, () => {
          if (chunk.toString().includes('\x1b[?2026l')) drawn()
          for (const look of [...waiting]) look()
          done()
        })
      },
    }),
    { isTTY: true, columns, rows },
  )
  const stdin = Object.assign(new PassThrough(), {
    isTTY: true,
    setRawMode(on: boolean) {
      raw = on
      return stdin
    },
    ref: () => stdin,
    unref: () => stdin,
  })

  const seenRows = (): string[] => {
    const buffer = terminal.buffer.active
    return Array.from(
      { length: terminal.rows },
      (_, row) => buffer.getLine(buffer.viewportY + row)?.translateToString(true, 0, terminal.cols) ?? '',
    )
  }
  const text = (): string => seenRows().join('\n')

  return {
    // Streams with what a terminal has of them: isTTY, columns, rows, setRawMode and the resize event are all Ink asks for.
    io: { stdin, stdout, stderr: stdout } as unknown as TerminalIo,
    rows: seenRows,
    text,
    written: () => written,
    frames: () => written.split('\x1b[?2026h').length - 1,
    onFrame(look) {
      drawn = look
    },
    isAlternate: () => terminal.buffer.active.type === 'alternate',
    isRaw: () => raw,
    press: (typed) => void stdin.write(typed),
    resize(newColumns, newRows) {
      terminal.resize(newColumns, newRows)
      Object.assign(stdout, { columns: newColumns, rows: newRows })
      stdout.emit('resize')
    },
    until(seen) {
      const isSo = typeof seen === 'string' ? () => text().includes(seen) : () => seen(text())
      return new Promise((resolve) => {
        const look = (): void => {
          if (!isSo()) return
          waiting.delete(look)
          resolve()
        }
        waiting.add(look)
        look()
      })
    },
  }
}
