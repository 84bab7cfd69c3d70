/**
 * What a protocol is, for everything above it; and what it is given. A protocol knows bytes and meaning; it does not know
 * rules, reviewers, storage or people. sessions/run-session.ts calls these in the one order there is.
 */
import type { Duplex } from 'node:stream'
import type { ProtocolName } from '../../contract/command.ts'
import type { Outcome } from '../../contract/record.ts'
import type { Refusal } from '../../contract/refusal.ts'
import type { Secret } from '../../base/secret.ts'
import type { Checkpoint, Permit } from '../checkpoint.ts'

/** What a protocol can do at all; a rule or mask that needs more is refused when the config is loaded. */
export interface Abilities {
  /** A held command can wait inside the live client connection. */
  readonly hold: boolean
  readonly maskColumns: boolean
  readonly maskText: boolean
  /** Members of JSON answers. */
  readonly maskFields: boolean
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
  /** Of an SSH target: what the gateway logs in with and which channels may be asked for. */
  readonly ssh?: SshSettings
  readonly http?: HttpTarget
  readonly kubernetes?: KubernetesTarget
}

export interface SshSettings {
  /** What the credential is: a password, a private key, or the private key of a certificate authority. */
  readonly login: 'password' | 'key' | 'certificate'
  /** Public keys (`ssh-ed25519 AAAA…`) that the target may show. Empty: the first one it shows is taken, and kept. */
  readonly hostKeys: readonly string[]
  /** allow: as the rules say. hold: only where a hold rule makes it wait. deny: never, whatever the rules say. */
  readonly shell: 'allow' | 'hold' | 'deny'
  /** Forwards that the rules may allow; none by default. */
  readonly forwards: readonly ('local' | 'remote')[]
  /** Names (globs) of environment variables that a client may set. */
  readonly env: readonly string[]
}

/** config/schema.ts says what each member means. */
export interface HttpTarget {
  readonly login: 'none' | 'bearer' | 'basic' | 'header' | 'query' | 'certificate' | 'oauth2'
  readonly name?: string | undefined
  readonly oauth2?:
    | { readonly tokenUrl: string; readonly clientId: string; readonly scope?: string | undefined }
    | undefined
  readonly paths: readonly string[]
}

export interface KubernetesTarget {
  readonly login: 'token' | 'certificate' | 'exec-plugin'
  readonly impersonate: boolean
  readonly secrets: 'mask' | 'show'
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
  /** For whom, so that a login which can name a person does (an SSH certificate's key id). */
  readonly bearer: { readonly session: string; readonly user: string; readonly groups: readonly string[] }
  /** Reads the secret anew: one that expires (a token file, a plugin) does so under a connection that stays. */
  renew(signal: AbortSignal): Promise<Secret | undefined>
}

/** The beginning of a recording. Sizes are in character cells. */
export interface RecordingHead {
  readonly width: number
  readonly height: number
  /** What runs, as people know it: `shell`, `exec tar …`. */
  readonly title: string
  /** TERM of the client, where it has a terminal. */
  readonly term?: string
}

/** One recording (asciicast v3), in the order of the calls. Text is masked before it comes here. */
export interface Recorder {
  /** What was shown. May be cut anywhere, also inside a character. */
  output(bytes: Uint8Array): void
  /** What was typed. */
  input(bytes: Uint8Array): void
  resize(width: number, height: number): void
  /** A line for people: `refused: …`. */
  marker(label: string): void
  /**
   * undefined: there is room for more. Otherwise it resolves as soon as the disk has caught up, and who shows much waits for
   * it: what comes faster than it can be written is not kept beyond some MiB, and a marker says so.
   */
  room(): Promise<void> | undefined
  /**
   * The exit status is null where there was none. Resolves, once durable, with what the outcome shall say of it; rejects
   * where it was lost.
   */
  end(status: number | null): Promise<NonNullable<Outcome['recording']>>
}

export interface Recordings {
  /**
   * Begins the recording of a permitted command. Rejects where it cannot be kept, and calls `onLost` when that becomes so
   * later on: what cannot be recorded must then not go on.
   */
  start(permit: Permit, head: RecordingHead, onLost: (reason: unknown) => void): Promise<Recorder>
}

/** What a relay is given besides its two ends. */
export interface Conversation {
  readonly checkpoint: Checkpoint
  readonly recordings: Recordings
  /** Aborted when the session is killed or the gateway stops; its reason is a Refusal. Both ends must then end. */
  readonly signal: AbortSignal
}

export interface Protocol<Client, Upstream> {
  readonly name: ProtocolName
  readonly abilities: Abilities
  /** What a client command has to know of a target (contract/api.ts: TargetInfo.defaults); never a secret. */
  defaults(target: Target): Readonly<Record<string, string>>
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
