/**
 * Recordings as one asciicast v3 file that asciinema plays: several follow each other, each behind a marker with its title
 * and its size. asciinema hands a file to the terminal as it is, so what must not reach one is left out here too.
 */
import type { CastCode, CastHeader } from '../../contract/asciicast.ts'
import { endLine, eventLine, headerLine } from '../../contract/asciicast.ts'
import { createSafeTerminal } from '../output/safe-terminal.ts'
import type { LoadCast } from './cast.ts'
import type { Item } from './programme.ts'

export interface ExportOptions {
  readonly session: string
  readonly load: LoadCast
  readonly skipIdle: number | undefined
}

/** The lines, each with its line feed; none where there is no recording. */
export async function* exportedLines(items: readonly Item[], options: ExportOptions): AsyncGenerator<string> {
  const recordings = items.filter((item) => item.kind === 'recording')
  const { session, load, skipIdle = Number.POSITIVE_INFINITY } = options
  const isOne = recordings.length === 1
  let last: number | undefined
  let status: string | undefined

  const line = (atMs: number, code: CastCode, data: string) => {
    const after = Math.min(skipIdle, Math.max(0, atMs - (last ?? atMs)))
    last = Math.max(last ?? atMs, atMs)
    return `${eventLine(Math.round(after), code, data)}\n`
  }

  for (const { atMs, recording } of recordings) {
    const { header, events } = await load(recording)
    if (last === undefined) {
      last = atMs
      const title = isOne ? recording.title : `${session} (${recordings.length} recordings)`
      yield `${headerLine({ ...headerFor(header), title })}\n`
    } else yield line(atMs, 'o', '\u001b[H\u001b[2J')
    if (!isOne) {
      yield line(atMs, 'r', `${header.term.cols}x${header.term.rows}`)
      yield line(atMs, 'm', recording.title)
    }
    const screen = createSafeTerminal()
    let end = atMs
    for (const event of events) {
      end = atMs + event.atMs
      if (event.code === 'x') status = event.data
      else {
        const data = event.code === 'o' ? screen.pass(event.data) : event.data
        if (data !== '') yield line(end, event.code, data)
      }
    }
    yield line(end, 'o', screen.restore())
  }
  // A player may stop at an exit status: there is one, at the end.
  if (status !== undefined && last !== undefined) yield line(last, 'x', status)
  if (last !== undefined) yield `${endLine}\n`
}

/** Not `hoop`: it would claim to be what the audit's hash is of. */
function headerFor({ version, term, timestamp }: CastHeader): CastHeader {
  return { version, term, timestamp }
}
