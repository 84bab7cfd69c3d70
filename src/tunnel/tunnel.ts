/** What a tunnel is asked for and what it says: local ports whose connections run through the gateway, for one session. */
import type { CreateSession, Session, SessionEnd, TargetInfo } from '../contract/api.ts'
import type { Link } from '../gateway-client/link.ts'
import type { ClientConfig } from './client-config.ts'
import type { Ports } from './ports.ts'

/** The calls a tunnel makes on the gateway's API. */
export interface TunnelClient {
  targets(): Promise<readonly TargetInfo[]>
  startSession(wish: CreateSession): Promise<Session>
  session(id: string): Promise<Session>
  /** Waits, across lost connections, until the session has ended; undefined: the signal ended first. */
  sessionEnd(id: string, wait: { readonly signal: AbortSignal }): Promise<SessionEnd | undefined>
  endSession(id: string): Promise<void>
}

export interface TunnelOptions {
  readonly client: TunnelClient
  readonly link: Link
  /** Names of targets, at least one. */
  readonly targets: readonly string[]
  readonly reason: string | null
  readonly agent: string | null
  readonly ports: Ports
  /** Where the gateway's own SSH host keys are kept for OpenSSH; written where there is an SSH target. */
  readonly knownHosts: string
  /** The port that was asked for; only with one target. Taken: `port-in-use`. */
  readonly port?: number | undefined
  /** Also listen on ::1, at the same port. */
  readonly ipv6?: boolean | undefined
  /** How long a new connection waits for a lost gateway before it is told; 10 s unless said otherwise. */
  readonly patienceMs?: number | undefined
  /** Closes the tunnel when aborted; the session is ended. */
  readonly signal: AbortSignal
  readonly notify: (event: TunnelEvent) => void
}

/** Something to tell the person, as one sentence each. */
export interface TunnelEvent {
  /**
   * lost and back: the way to the gateway. session: the gateway had forgotten or ended ours, this is the new one. port: another
   * port than last time. refused: one connection that was turned away.
   */
  readonly event: 'lost' | 'back' | 'session' | 'port' | 'refused'
  readonly message: string
  /** Set with `session`. */
  readonly session?: Session
}

/** One target's open local port. */
export interface OpenTarget extends ClientConfig {
  readonly target: TargetInfo
  readonly port: number
}

export interface Tunnel {
  /** The session now; another one after the gateway forgot the first. */
  readonly session: Session
  /** In the order asked. */
  readonly targets: readonly OpenTarget[]
  /** Resolves once the tunnel is closed; rejects with `killed` when the session was ended by somebody else. */
  readonly done: Promise<void>
  close(): Promise<void>
}
