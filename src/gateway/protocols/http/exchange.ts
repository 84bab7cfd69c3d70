/**
 * The words of one exchange over HTTP (RFC 9110), and what differs between the protocols that are spoken over it: http/
 * itself and kubernetes/ each bring a Dialect, and relay.ts carries both. No IO.
 */
import type { Duplex, Transform } from 'node:stream'
import type { Command, ProtocolName } from '../../../contract/command.ts'
import type { Answer } from '../../../contract/record.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Masks, Permit } from '../../checkpoint.ts'
import type { Conversation, Credential, Target } from '../protocol.ts'

/** Field lines in the order and in the letters that they came in; bytes beyond ASCII are Latin-1. */
export type Fields = readonly (readonly [name: string, value: string])[]

/** A request's head that was read whole and is free of doubt about where it and its body end (RFC 9112). */
export interface RequestHead {
  readonly method: string
  /** Path and query exactly as they came, beginning with a slash (origin-form). */
  readonly target: string
  /**
   * From end to end only: what concerns this one connection (Connection and what it names, Transfer-Encoding, Upgrade, Expect
   * …) is gone, and so are Host and Content-Length, which are said anew. `TE: trailers` stays, for the gateway keeps that.
   */
  readonly fields: Fields
  readonly body: 'none' | 'chunked' | { readonly bytes: number }
  /** `websocket`, `spdy/3.1`, in lower case: the protocol that it asks to go on with. */
  readonly upgrade: string | undefined
}

/**
 * From the target without what concerns one connection only; Content-Length stays where it was said, and Upgrade in a 101.
 */
export interface AnswerHead {
  readonly status: number
  /** The reason phrase, where there is one. */
  readonly phrase?: string | undefined
  readonly fields: Fields
}

/** An answer of the gateway's own. */
export interface OwnAnswer extends AnswerHead {
  readonly body: Uint8Array
}

/** A request as a dialect sees it. */
export interface Request {
  readonly head: RequestHead
  /**
   * The body, decoded (no Content-Encoding), where the dialect asked for it; undefined where it did not, or where it cannot
   * be had: too long to be judged, or not what Content-Encoding says. `unread` then says why.
   */
  readonly body: Uint8Array | undefined
  readonly unread?: string | undefined
}

/** One request that was cleared. */
export interface Cleared {
  readonly request: Request
  readonly command: Command
  readonly permit: Permit
}

/** What happens to an answer on its way. */
export type Results =
  | { readonly kind: 'untouched' }
  | ({ readonly kind: 'through' } & Through)
  /** It may not be shown: the client gets a refusal instead. */
  | { readonly kind: 'withheld'; readonly reason: string }

/** An answer that is looked at. What its streams cannot look at, they fail with a WithheldError. */
export interface Through {
  /** As they may be shown: without length, encoding, validators and digests of what it is no longer. */
  readonly fields: Fields
  /** What the body goes through, in this order; none where there is no body (HEAD, 304). */
  readonly through: readonly Transform[]
  /**
   * The head waits for the first byte that comes out, or the end: a stream that fails before withholds the answer, and the
   * client gets a refusal; later, it is cut off. False: the head goes out at once, as for events.
   */
  readonly headWaits: boolean
  trailers(fields: Fields): Fields
  /** Something was hidden so far (outcome.masked). */
  masked(): boolean
}

/** What has come of an answer may not be shown; the message is a clause that says why. */
export class WithheldError extends Error {}

/** Keeps of one answer what its outcome shall say: the head and the beginning of what was shown. */
export interface Keeper {
  /** A part of the body as it is shown to the client, Content-Encoding and all. May be called after enough was kept. */
  take(bytes: Uint8Array): void
  /** `whole`: nothing was cut off. `firstByteMs`: from the permit to the answer's head. */
  answer(whole: boolean, firstByteMs: number): Answer | Promise<Answer>
}

/** An upgraded connection (101): both ends from their first byte on, and what began it. */
export interface Upgraded {
  readonly cleared: Cleared
  readonly answer: AnswerHead
  readonly client: Duplex
  readonly upstream: Duplex
  readonly conversation: Conversation
}

export interface Dialect {
  readonly protocol: ProtocolName
  /** Has the body to be known before it can be said what is asked? It is then read whole, up to the limit for statements. */
  needsBody(head: RequestHead): boolean
  /** Never throws: what is not understood has facts that say so. */
  command(request: Request, target: Target): Command
  /** Why it may not be forwarded, whatever the rules say (checkpoint.refuse). */
  unsendable(request: Request, target: Target): string | undefined
  /**
   * The head to be forwarded, before the credential is added: what a client may not say is taken away, and what it may not say
   * where these masks are to work on the answer.
   */
  outward(head: RequestHead, target: Target, bearer: Credential['bearer'], masks: Masks): RequestHead
  /** A "no" in this protocol's words. `status` where HTTP itself knows better than the refusal's code (400, 431, 504). */
  refusal(refusal: Refusal, request: RequestHead | undefined, status?: number): OwnAnswer
  results(cleared: Cleared, answer: AnswerHead, target: Target): Results
  /** What the outcome shall say of an answer, as it is shown (after `results`); undefined: nothing of it is kept. */
  keeper(cleared: Cleared, answer: AnswerHead): Keeper | undefined
  /**
   * Why this upgrade may not be asked for, knowing what would have to be masked in it; undefined: it may. An upgrade that is
   * refused is told with `refusal`, and `upgraded` relays one until both ends are closed, and settles the permit.
   */
  unupgradable(cleared: Cleared): string | undefined
  upgraded(upgraded: Upgraded): Promise<void>
}

/** A request on its way to the target. */
export interface Outgoing {
  /** After `outward`: the credential is not in it yet. */
  readonly head: RequestHead
  /** As it came, Content-Encoding and all. An iterable is asked for the next part when the target has taken the last. */
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | undefined
  /** The client's Host: where it finds what the target calls its own address. */
  readonly host: string
}

/** Who hears the answer. Called in this order: interim*, then upgraded, or head, data*, end; failed at any time, once. */
export interface Listener {
  /** 103 and its like; never 100 or 101. */
  interim(head: AnswerHead): void
  head(head: AnswerHead): void
  /** False: nothing more, please, until `resume`. The bytes are the listener's to keep. */
  data(bytes: Buffer): boolean
  end(trailers: Fields): void
  /** 101. Both directions are the listener's from here; what came behind the head is still to be read from the socket. */
  upgraded(head: AnswerHead, socket: Duplex): void
  failed(failure: Failure): void
}

/** Why there is no (whole) answer of the target. */
export interface Failure {
  readonly code: 'target-unreachable' | 'target-refused' | 'cancelled' | 'internal'
  /** One sentence with the target's name in it, and nothing of the credential. */
  readonly message: string
  readonly next: string
  /** It was there, and did not answer in time: 504 instead of 502. */
  readonly timedOut?: boolean
  /** Nothing of the request can have reached the target. */
  readonly unsent?: boolean
}

export interface InFlight {
  /** After `data` has said false. */
  resume(): void
  /** Ends it at once, at the target too; the listener hears nothing any more. */
  abort(): void
}

/** The target for one connection; what stands behind it (a pool, a credential) is shared where it can be. */
export interface Upstream {
  readonly target: Target
  readonly bearer: Credential['bearer']
  /** Sends one permitted request. Never throws: what goes wrong is told to the listener, possibly at once. */
  dispatch(outgoing: Outgoing, permit: Permit, listener: Listener): InFlight
  /** The connection is over: whatever is its own (not shared) ends. */
  close(): void
}
