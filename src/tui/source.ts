/**
 * What the screens are given: data that arrives, and callbacks. The screens know no gateway and no network; whoever starts
 * them (a command) brings sources whose iterables reconnect by themselves and never end before their signal is aborted.
 */
import type { Approval, ApprovalEvent, Decide, Me } from '../contract/api.ts'
import type { AuditRecord, Verdict } from '../contract/record.ts'

export type Connection =
  | { readonly state: 'connecting' }
  | { readonly state: 'connected' }
  /** The source tries again by itself; reason is one sentence for people. */
  | { readonly state: 'lost'; readonly reason: string }

interface Connected {
  /** Calls the listener at each change, and may do so at once with the present state. Returns how to stop. */
  onConnection(listener: (connection: Connection) => void): () => void
}

export interface ReviewSource extends Connected {
  readonly me: Me
  /** A snapshot first, and again after each reconnect; then each change. Ends with the signal; rejecting is final. */
  watchApprovals(signal: AbortSignal): AsyncIterable<ApprovalEvent>
  /** Rejects with a HoopError (`conflict`, `not-allowed`, …), whose sentence is shown. */
  decide(id: string, wish: Decide): Promise<Approval>
}

export interface TailSource extends Connected {
  /** What is there, then what comes, oldest first, without a gap or a repeat. Ends with the signal; rejecting is final. */
  follow(signal: AbortSignal): AsyncIterable<AuditRecord>
}

/** What the tail shows; every member given has to fit. Texts fit anywhere and in any case. */
export interface TailFilter {
  readonly text?: string | undefined
  readonly verdict?: Verdict | undefined
  readonly user?: string | undefined
  readonly target?: string | undefined
  readonly session?: string | undefined
}

/** The terminal, as the process has it. Both must be terminals: whoever calls has checked. */
export interface TerminalIo {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
}
