/**
 * A recording as lines of asciicast v3 (https://docs.asciinema.org/manual/asciicast/v3/): a header, then one event a line,
 * each with the time since the one before it. What asciinema does not know in a header it leaves alone: `hoop` says which
 * command it is of. The comment `endLine` is last where the recording came to its end. Pure.
 */
import { z } from 'zod'

export const castType = 'application/x-asciicast'

const cells = z.int().min(1).max(65_535)

const headerSchema = z.object({
  version: z.literal(3),
  term: z.object({ cols: cells, rows: cells, type: z.string().optional() }),
  /** Seconds since 1970. */
  timestamp: z.int().nonnegative(),
  title: z.string().optional(),
  /** `started` is the same moment as timestamp, RFC 3339 with milliseconds. */
  hoop: z.object({ session: z.string(), command: z.string(), started: z.string() }).optional(),
})
export type CastHeader = Readonly<z.infer<typeof headerSchema>>

/** o: shown. i: typed. r: resized to `80x24`. m: a word for people. x: the exit status. */
export const castCodes = ['o', 'i', 'r', 'm', 'x'] as const
export type CastCode = (typeof castCodes)[number]

export interface CastEvent {
  /** Since the beginning of the recording. */
  readonly atMs: number
  readonly code: CastCode
  readonly data: string
}

/** Without it a recording goes on still, or the gateway died over it. */
export const endLine = '# ended'

export function headerLine(header: CastHeader): string {
  return JSON.stringify(header)
}

/** `afterMs`: whole milliseconds since the event before. */
export function eventLine(afterMs: number, code: CastCode, data: string): string {
  return `[${(afterMs / 1000).toFixed(3)},"${code}",${JSON.stringify(data)}]`
}

/** undefined: this is not the header of a recording. */
export function parseHeader(line: string): CastHeader | undefined {
  return headerSchema.safeParse(jsonOf(line)).data
}

/** Reads the lines behind the header, in their order; undefined for those that are no event, or of an unknown kind. */
export function createEventReader(): (line: string) => CastEvent | undefined {
  let seconds = 0
  return (line) => {
    if (!line.startsWith('[')) return undefined
    const event = jsonOf(line)
    if (!Array.isArray(event)) return undefined
    const [after, given, data]: unknown[] = event
    if (typeof after !== 'number' || !(after >= 0) || typeof data !== 'string') return undefined
    // The time counts, whatever the event is.
    seconds += after
    const code = castCodes.find((known) => known === given)
    return code && { atMs: Math.round(seconds * 1000), code, data }
  }
}

function jsonOf(line: string): unknown {
  try {
    return JSON.parse(line)
  } catch {
    return undefined
  }
}
