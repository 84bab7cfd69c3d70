/**
 * How a command answers: data on stdout, talk on stderr. With --json the data are objects and the talk is silent; what
 * a stream hands out is one object a line.
 */
import type { Runtime } from '../../runtime.ts'
import { plain, type Style, styleFor } from './style.ts'

export interface Output {
  readonly json: boolean
  /** For stdout. */
  readonly style: Style
  /** For stderr. */
  readonly talkStyle: Style
  readonly isTerminal: boolean
  /** Cells of a line on the terminal; undefined where lines may be as long as they like. */
  readonly columns: number | undefined
  readonly now: number
  /** Text as it is, for stdout. Resolves when there is room for more. */
  write(text: string): Promise<void>
  /** One JSON document: the whole answer. */
  document(value: unknown): Promise<void>
  /** One line of NDJSON. */
  item(value: unknown): Promise<void>
  /** A line for the person, on stderr; nothing with --json. */
  talk(line: string): void
}

export function createOutput(runtime: Runtime, options: { readonly json?: boolean | undefined }): Output {
  const { stdout, stderr } = runtime.io
  const json = options.json ?? runtime.settings.json
  const isTerminal = stdout.isTTY === true
  const write = (text: string) => writeTo(stdout, text, runtime.signal)
  return {
    json,
    style: json ? plain : styleFor(isTerminal, runtime.env),
    talkStyle: styleFor(stderr.isTTY === true, runtime.env),
    isTerminal,
    columns: isTerminal ? stdout.columns : undefined,
    get now() {
      return runtime.clock.now()
    },
    write,
    document: (value) => write(`${JSON.stringify(value, null, isTerminal ? 2 : undefined)}\n`),
    item: (value) => write(`${JSON.stringify(value)}\n`),
    talk(line) {
      if (!json) stderr.write(`${line}\n`)
    },
  }
}

/** A slow reader holds the writer back; one that is gone ends the wait through the signal. */
function writeTo(stream: NodeJS.WriteStream, text: string, signal: AbortSignal): Promise<void> {
  if (stream.write(text) || signal.aborted) return Promise.resolve()
  return new Promise((resolve) => {
    const finish = () => {
      stream.off('drain', finish)
      signal.removeEventListener('abort', finish)
      resolve()
    }
    stream.once('drain', finish)
    signal.addEventListener('abort', finish, { once: true })
  })
}
