/**
 * What has begun and not ended, and how many commands each session asked since the last time that was written down. Kept
 * in memory by the writing thread, saved now and then, and made again at a start from what was saved plus the records
 * behind it.
 */
import type { RecordDraft } from '../../contract/record.ts'

/** The columns of a record that say what it begins or ends. */
export interface Mark {
  readonly type: RecordDraft['type']
  readonly session: string | null
  readonly connection: string | null
  readonly command: string | null
  readonly approval: string | null
  readonly verdict: string | null
}

/** Ids of what is open, each with the number of the record that opened it. */
export type OpenThings = Readonly<Record<Kind, readonly (readonly [id: string, seq: number])[]>>

type Kind = 'command' | 'approval' | 'connection' | 'session'

export interface Ledger {
  apply(mark: Mark, seq: number): void
  open(): OpenThings
  /** Commands asked since this was called last, by session. */
  takeCounts(): ReadonlyMap<string, number>
}

export function createLedger(saved?: OpenThings): Ledger {
  const open = {
    command: new Map(saved?.command),
    approval: new Map(saved?.approval),
    connection: new Map(saved?.connection),
    session: new Map(saved?.session),
  }
  let counts = new Map<string, number>()

  function begin(kind: Kind, id: string | null, seq: number): void {
    // A batch that is held as one names its approval in several records: the first opened it.
    if (id !== null && !open[kind].has(id)) open[kind].set(id, seq)
  }

  function end(kind: Kind, id: string | null): void {
    if (id !== null) open[kind].delete(id)
  }

  return {
    apply(mark, seq) {
      switch (mark.type) {
        case 'session.start':
          return begin('session', mark.session, seq)
        case 'session.end':
          return end('session', mark.session)
        case 'connection.start':
          return begin('connection', mark.connection, seq)
        case 'connection.end':
          return end('connection', mark.connection)
        case 'command':
          if (mark.session !== null) counts.set(mark.session, (counts.get(mark.session) ?? 0) + 1)
          // A denied command has no outcome to wait for.
          if (mark.verdict !== 'deny') begin('command', mark.command, seq)
          return begin('approval', mark.approval, seq)
        case 'outcome':
          return end('command', mark.command)
        case 'approval.end':
          return end('approval', mark.approval)
        case 'approval.decision':
        case 'admin':
          return
        default:
          mark.type satisfies never
      }
    },
    open() {
      return {
        command: [...open.command],
        approval: [...open.approval],
        connection: [...open.connection],
        session: [...open.session],
      }
    },
    takeCounts() {
      const taken = counts
      counts = new Map()
      return taken
    },
  }
}
