/** An interactive shell, seen from between its two ends: what is typed is judged line by line, by what is shown of it. */
import type { Refusal } from '../../../contract/refusal.ts'
import type { ShownStream } from './shown.ts'
import { createTypedLineReader } from './typed-line.ts'
import { createTypedLines, type TypedLinesParts } from './typed-lines.ts'

export interface TypedShell {
  /** Keys came. */
  take(keys: Buffer): void
  /** Resolves when more keys may come; undefined: they may. */
  keysRoom(): Promise<void> | undefined
  /** Something is to be shown, as `out` masks it. */
  show(chunk: Buffer, out: ShownStream): Uint8Array
  /** Resolves when more may be shown; undefined: it may. */
  shownRoom(out: ShownStream): Promise<void> | undefined
  resize(columns: number, rows: number): void
  /** Resolves when every key that came has been dealt with. */
  idle(): Promise<void>
  end(): void
}

/** Output that the reader of lines has not taken in yet may wait; no more of it. */
const mostBehind = 1024 * 1024

export function createTypedShell(
  size: { readonly columns: number; readonly rows: number },
  parts: Omit<TypedLinesParts, 'reader'>,
): TypedShell {
  const reader = createTypedLineReader(size)
  const lines = createTypedLines({ ...parts, reader })
  return {
    take: lines.take,
    keysRoom: lines.room,
    show(chunk, out) {
      reader.shown(chunk)
      lines.noticed(chunk.length)
      return lines.isEcho(chunk) && !out.isWaiting ? out.now(chunk) : out.change(chunk)
    },
    shownRoom: (out) => bothOf(out.room(), reader.behind > mostBehind ? reader.line() : undefined),
    resize: reader.resize,
    idle: lines.idle,
    end() {
      lines.end()
      reader.close()
    },
  }
}

export const failedToRead: Refusal = {
  code: 'internal',
  message: 'ended: the gateway failed to read what was typed',
  next: 'nothing more was sent; the gateway log says more',
}

export const stuck: Refusal = {
  code: 'not-allowed',
  message: 'ended: the shell did not let go of a line that was refused',
  next: 'open another one',
}

function bothOf(one: Promise<unknown> | undefined, other: Promise<unknown> | undefined): Promise<void> | undefined {
  return one === undefined && other === undefined ? undefined : Promise.all([one, other]).then(() => undefined)
}
