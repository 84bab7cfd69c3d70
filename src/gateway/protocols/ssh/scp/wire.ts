/** Bytes ↔ lines, answers and contents of scp's old protocol. */
import type { Intake } from '../../wire/intake.ts'

/** One side broke the rules; the channel ends with this sentence. */
export class ScpBroken extends Error {}

/** OpenSSH takes no longer ones. */
const longestLine = 16 * 1024
const lineFeed = 10

export interface ScpReader {
  /** Without its end; undefined where nothing comes any more. Throws ScpBroken. */
  line(): Promise<Buffer | undefined>
  /** One byte that says yes, or a line that says no. */
  answer(): Promise<Answer | undefined>
  /** So many bytes, as they come; fewer where nothing comes any more. */
  content(length: number): AsyncIterable<Buffer>
}

export interface Answer {
  readonly bytes: Buffer
  /** What went wrong, if something did. */
  readonly no: string | undefined
}

export function createScpReader(intake: Intake, who: string): ScpReader {
  let rest: Buffer = Buffer.alloc(0)

  async function more(): Promise<boolean> {
    const chunk = await intake.next()
    if (chunk === undefined) return false
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk])
    return true
  }

  async function line(): Promise<Buffer | undefined> {
    for (;;) {
      const end = rest.indexOf(lineFeed)
      if (end > longestLine || (end < 0 && rest.length > longestLine))
        throw new ScpBroken(`${who} sent a line longer than ${longestLine} bytes`)
      if (end >= 0) {
        const found = rest.subarray(0, end)
        rest = rest.subarray(end + 1)
        return found
      }
      if (!(await more())) return undefined
    }
  }

  return {
    line,
    async answer() {
      while (rest.length === 0) if (!(await more())) return undefined
      const first = rest.readUInt8(0)
      if (first === 0) {
        const bytes = rest.subarray(0, 1)
        rest = rest.subarray(1)
        return { bytes, no: undefined }
      }
      if (first !== 1 && first !== 2) throw new ScpBroken(`${who} answered neither yes nor no`)
      const said = await line()
      if (said === undefined) return undefined
      return { bytes: lineOf(said), no: said.subarray(1).toString() }
    },
    async *content(length) {
      let left = length
      while (left > 0) {
        if (rest.length === 0 && !(await more())) return
        const part = rest.subarray(0, left)
        rest = rest.subarray(part.length)
        left -= part.length
        yield part
      }
    },
  }
}

/** A line as it is sent. */
export function lineOf(text: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from(text), Buffer.from([lineFeed])])
}

/** "No", with the reason that the other side's scp prints; it goes on with the next file. */
export function noLine(sentence: string): Buffer {
  return lineOf(`\x01hoop: ${sentence.replaceAll('\n', ' ')}`)
}
