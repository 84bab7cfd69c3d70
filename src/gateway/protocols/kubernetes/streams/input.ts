/** What comes on stdin, on its way to the program: judged line by line where the program is a shell (`InputMode`). */
import type { Refusal } from '../../../../contract/refusal.ts'
import { passScript } from '../../terminal/script-lines.ts'
import type { ShownStream } from '../../terminal/shown.ts'
import { createTypedShell, failedToRead, stuck } from '../../terminal/typed-shell.ts'
import type { TypedLinesParts } from '../../terminal/typed-lines.ts'
import type { InputMode } from './asked.ts'
import type { TerminalSize } from './terminal-sizes.ts'

export interface Input {
  /** Something came. Resolves when more may come; undefined: it may. */
  take(bytes: Buffer): Promise<void> | undefined
  /** Nothing more comes; `goOn` once everything that came has been passed on. */
  end(goOn: () => void): void
  /** The program shows something, as `out` masks it. */
  show(chunk: Buffer, out: ShownStream): Uint8Array
  /** Resolves when more may be shown; undefined: it may. */
  room(out: ShownStream): Promise<void> | undefined
  resize(size: TerminalSize): void
  /** The program is over. */
  close(): void
}

export interface InputParts extends Pick<TypedLinesParts, 'judge' | 'clock' | 'signal' | 'send' | 'tell' | 'typed'> {
  /** Nothing more may be sent. */
  onRefused(refusal: Refusal): void
  onDefect(error: unknown): void
}

export function createInput(mode: InputMode, size: TerminalSize, parts: InputParts): Input {
  switch (mode) {
    case 'data':
      return passedOn(parts)
    case 'script':
      return script(parts)
    case 'typed':
      return typed(size, parts)
    default:
      return mode satisfies never
  }
}

const plain = {
  show: (chunk: Buffer, out: ShownStream) => out.change(chunk),
  room: (out: ShownStream) => out.room(),
  resize: () => {},
  close: () => {},
}

function passedOn({ send }: InputParts): Input {
  return { ...plain, take: (bytes) => send(bytes), end: (goOn) => goOn() }
}

function typed(size: TerminalSize, parts: InputParts): Input {
  const { onRefused, onDefect } = parts
  const shell = createTypedShell(size, {
    ...parts,
    onStuck: () => onRefused(stuck),
    onDefect(error) {
      onDefect(error)
      onRefused(failedToRead)
    },
  })
  return {
    take(keys) {
      shell.take(keys)
      return shell.keysRoom()
    },
    end: (goOn) => void shell.idle().then(goOn),
    show: shell.show,
    room: shell.shownRoom,
    resize: ({ columns, rows }) => shell.resize(columns, rows),
    close: shell.end,
  }
}

/** Of a script that is held: while a line waits, the rest of the connection goes on. */
const mostWaiting = 256 * 1024

function script(parts: InputParts): Input {
  const { signal, onRefused, onDefect } = parts
  const waiting: Buffer[] = []
  let bytesWaiting = 0
  let ended = false
  let wake: (() => void) | undefined
  let makeRoom: (() => void) | undefined
  const stir = () => {
    wake?.()
    makeRoom?.()
  }
  signal.addEventListener('abort', stir, { once: true })

  async function* lines(): AsyncGenerator<Buffer, void, undefined> {
    for (;;) {
      const next = waiting.shift()
      if (signal.aborted) return
      if (next !== undefined) {
        bytesWaiting -= next.length
        if (bytesWaiting < mostWaiting) makeRoom?.()
        yield next
      } else if (ended) return
      else await new Promise<void>((resolve) => (wake = resolve))
    }
  }

  const passed = passScript(lines(), { ...parts, tell: parts.tell }).then(
    (refusal) => {
      if (refusal !== undefined) onRefused(refusal)
      return refusal === undefined
    },
    (error: unknown) => {
      onDefect(error)
      onRefused(failedToRead)
      return false
    },
  )
  return {
    ...plain,
    take(bytes) {
      waiting.push(bytes)
      bytesWaiting += bytes.length
      wake?.()
      if (bytesWaiting < mostWaiting || signal.aborted) return undefined
      return new Promise((resolve) => (makeRoom = resolve))
    },
    end(goOn) {
      ended = true
      wake?.()
      void passed.then((all) => {
        if (all && !signal.aborted) goOn()
      })
    },
    close: () => {
      ended = true
      wake?.()
    },
  }
}
