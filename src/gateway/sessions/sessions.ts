/** Sessions and their connections, as routes and the link use them. */
import type { Duplex } from 'node:stream'
import type { CreateSession, Session, TargetInfo } from '../../contract/api.ts'
import type { LoneSession } from '../../contract/link.ts'
import type { Refusal } from '../../contract/refusal.ts'
import type { Caller } from '../identity/caller.ts'

export interface Sessions {
  /** Every target, with why-not for those the caller may not use. */
  targets(caller: Caller): readonly TargetInfo[]
  /** Opens a session, written down before it answers. Throws `not-found`, `not-allowed`, `audit-unavailable`. */
  start(caller: Caller, wish: CreateSession): Promise<Session>
  /** Newest last. Admins and auditors see all, others their own. `live`: only those that have not ended. */
  list(caller: Caller, only: { readonly live: boolean; readonly limit: number }): Promise<readonly Session[]>
  get(caller: Caller, id: string): Promise<Session>
  /** By its owner. Ends its connections; ending twice is no error. */
  end(caller: Caller, id: string): Promise<void>
  /** By an admin, or its owner: ends the connections at once on both sides, recorded with who and why. */
  kill(caller: Caller, id: string, reason: string): Promise<void>
  /**
   * May this caller open a connection of this session to this target? Throws what the link answers instead of opening
   * (`not-found`, `not-allowed`, `killed`, `conflict` over the limit).
   */
  admit(caller: Caller, id: string, target: string): Promise<Admission>
  /** The same for a session that begins now and ends with this connection. Throws also what `start` does. */
  admitAlone(caller: Caller, target: string, wish: LoneSession): Promise<Admission>
  /** Waits until the caller's session ends, however long that takes; undefined: the signal, or the gateway, ended first. */
  whenEnded(caller: Caller, id: string, signal: AbortSignal): Promise<Refusal | undefined>
  close(): Promise<void>
}

export interface Admission {
  /** Runs one connection to its end on this socket. Never rejects: what goes wrong is told to the client and recorded. */
  run(socket: Duplex): Promise<void>
  /** Instead, when whoever asked has gone meanwhile. */
  decline(): Promise<void>
}
