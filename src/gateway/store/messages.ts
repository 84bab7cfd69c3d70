/** What the main thread and the store's threads say to each other. */
import type { RecordFilter } from '../../contract/api.ts'
import type { Batch, End } from './seal.ts'

export interface WriterData {
  readonly path: string
  readonly flush: boolean
}

/** One at a time; each is answered once. */
export type ToWriter =
  /**
   * Takes over what the journal holds, and makes a new one. `recover`: end what a gateway that died left open. Not after a
   * failure in this life: those are still running.
   */
  | { readonly ask: 'open'; readonly now: number; readonly recover: boolean }
  /** What the journal has: into the database with it. */
  | { readonly ask: 'import'; readonly batches: readonly Batch[] }
  | { readonly ask: 'close' }

export type FromWriter =
  | { readonly answer: 'open'; readonly end: End; readonly ended: number }
  /** `settled`: up to this record the journal is not needed any more. */
  | { readonly answer: 'imported'; readonly head: number; readonly settled: number }
  /** The file has to be opened again; the journal has what is not in it. `damaged`: no use trying. */
  | { readonly answer: 'failed'; readonly reason: string; readonly kind: 'unavailable' | 'damaged' | 'conflict' }
  | { readonly answer: 'closed' }

/** Columns of a record that can be asked for; `owner` is the subject that opened its session. */
export type Wanted = Pick<RecordFilter, 'since' | 'until' | 'session' | 'target' | 'user' | 'verdict' | 'type'> & {
  readonly owner?: string
}

/** Each question reads a bounded piece, so that no reader holds up the others; `next` says where to go on. */
export interface Questions {
  page: {
    ask: { readonly wanted: Wanted; readonly after: number; readonly upTo: number; readonly limit: number }
    answer: { readonly lines: readonly string[]; readonly next: number }
  }
  /** Walks back from `from`: how many of `count` were found, and the lowest number looked at. */
  tail: {
    ask: { readonly wanted: Wanted; readonly after: number; readonly from: number; readonly count: number }
    answer: { readonly found: number; readonly lowest: number }
  }
  verify: {
    ask: { readonly after: number; readonly upTo: number; readonly prev: string | null }
    answer: { readonly next: number; readonly prev: string; readonly flaw: { seq: number; what: string } | null }
  }
  sessions: {
    ask: { readonly id: string | null; readonly live: boolean; readonly user: string | null; readonly limit: number }
    answer: readonly SessionRow[]
  }
}

/** A row of the table `sessions`, with all its commands counted. */
export interface SessionRow {
  readonly id: string
  readonly user: string
  readonly subject: string
  readonly agent: string | null
  readonly reason: string | null
  /** JSON. */
  readonly targets: string
  readonly started: string
  readonly ended: string | null
  readonly why: string | null
  readonly commands: number
}

export type QuestionName = keyof Questions
export type ToReader = {
  [K in QuestionName]: { readonly id: number; readonly name: K; readonly ask: Questions[K]['ask'] }
}[QuestionName]
export type FromReader =
  | { readonly id: number; readonly answer: Questions[QuestionName]['answer'] }
  | { readonly id: number; readonly failed: string }
