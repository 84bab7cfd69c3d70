/** The gateway's own log: one JSON line each, to a file or to stderr. What was asked of targets is in the audit, not here. */
import { pino } from 'pino'
import type { Log } from '../base/log.ts'

/** A file that is appended to; without one it is stderr. */
export interface LogTarget {
  readonly file?: string
}

export function createLog({ file }: LogTarget): Log {
  const destination = pino.destination(
    file === undefined ? { dest: 2, sync: true } : { dest: file, mkdir: true, sync: true },
  )
  return pino({ base: null, timestamp: pino.stdTimeFunctions.isoTime }, destination)
}
