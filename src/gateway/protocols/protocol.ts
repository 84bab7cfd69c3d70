/**
 * What a protocol is, for everything above it; and what it is given. A protocol knows bytes and meaning; it does not know
 * rules, reviewers, storage or people. sessions/run-session.ts calls these in the one order there is.
 */
import type { Duplex } from 'node:stream'
import type { ProtocolName } from '../../contract/command.ts'
import type { Refusal } from '../../contract/refusal.ts'
import type { Secret } from '../../base/secret.ts'
import type { Checkpoint } from '../checkpoint.ts'

/** What a protocol can do at all; a rule or mask that needs more is refused when the config is loaded. */
export interface Abilities {
  /** A held command can wait inside the live client connection. */
  readonly hold: boolean
  readonly maskColumns: boolean
  readonly maskText: boolean
}

/** A target as its protocol sees it: where it is and how to log in, never who may use it. */
export interface Target {
  readonly name: string
  readonly protocol: ProtocolName
  readonly host: string
  readonly port: number
  readonly tls: TlsSettings
  /** Login name at the target. */
  readonly user: string
  /** PostgreSQL: databases that may be named; the first is the default. Empty: any. */
  readonly databases: readonly string[]
}

export interface TlsSettings {
  /** verify-full: certificate and name are checked. require: encrypted, unchecked. disable: plain. */
  readonly mode: 'verify-full' | 'require' | 'disable'
  /** PEM of the certificate authority to trust instead of the system's. */
  readonly ca?: string
  /** Name to check instead of the host. */
  readonly serverName?: string
}

/** How the gateway logs in; read for one connection, after admission. */
export interface Credential {
  readonly secret: Secret | undefined
}

/** What a relay is given besides its two ends. */
export interface Conversation {
  readonly checkpoint: Checkpoint
  /** Aborted when the session is killed or the gateway stops; its reason is a Refusal. Both ends must then end. */
  readonly signal: AbortSignal
}

export interface Protocol<Client, Upstream> {
  readonly name: ProtocolName
  readonly abilities: Abilities
  /**
   * The protocol's own handshake with the client, up to knowing what it wants to open. Asks for no password. Throws a
   * HoopError `protocol-error` for whom it has turned away.
   */
  greet(socket: Duplex, signal: AbortSignal): Promise<Client>
  /** One line for the audit's connection.start: `database shop, application psql`. */
  describe(client: Client): string | null
  /** Dials and logs in. Throws a HoopError `target-unreachable` or `target-refused`; `not-allowed` for what it may not open. */
  connect(target: Target, credential: Credential, client: Client, signal: AbortSignal): Promise<Upstream>
  /** Runs until either side is done; resolves when both are closed. Owns both ends from here on. */
  relay(client: Client, upstream: Upstream, conversation: Conversation): Promise<void>
  /** Tells a greeted client "no" in its own language and ends its connection. */
  refuse(client: Client, refusal: Refusal): Promise<void>
}

/** A protocol whose Client and Upstream types are its own business. */
// biome-ignore lint/suspicious/noExplicitAny: existential type; run-session only hands back what it was given.
export type AnyProtocol = Protocol<any, any>
