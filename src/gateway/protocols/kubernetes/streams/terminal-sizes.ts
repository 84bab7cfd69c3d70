/** The resize channel: one JSON object after another, `{"Width":80,"Height":24}`. Pure. */
import { z } from 'zod'
import { hoopError } from '../../../../contract/error-codes.ts'

const cells = z.int().min(0).max(65_535)
const sizeSchema = z.strictObject({ Width: cells, Height: cells })

export interface TerminalSize {
  readonly columns: number
  readonly rows: number
}

const longest = 256

/** The sizes that these bytes complete. Throws a HoopError `protocol-error`. */
export function createSizeReader(): (bytes: Buffer) => TerminalSize[] {
  let begun = ''
  return (bytes) => {
    begun += bytes.toString('latin1')
    const sizes: TerminalSize[] = []
    for (let end = begun.indexOf('}'); end >= 0; end = begun.indexOf('}')) {
      const { Width, Height } = parse(begun.slice(0, end + 1))
      sizes.push({ columns: Width, rows: Height })
      begun = begun.slice(end + 1)
    }
    if (begun.length > longest) throw broken()
    return sizes
  }
}

export function sizeMessage({ columns, rows }: TerminalSize): Buffer {
  return Buffer.from(`${JSON.stringify({ Width: columns, Height: rows })}\n`)
}

function parse(text: string): z.infer<typeof sizeSchema> {
  try {
    return sizeSchema.parse(JSON.parse(text))
  } catch (cause) {
    throw broken(cause)
  }
}

function broken(cause?: unknown) {
  return hoopError('protocol-error', 'not a terminal size on the resize channel', { cause })
}
