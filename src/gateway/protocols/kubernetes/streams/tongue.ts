/**
 * What the streams of a remote command are, whichever protocol carries them: both ends of a connection speak the same one, and
 * a tongue reads each and writes to each. Pure.
 */

export type Channel = 'stdin' | 'stdout' | 'stderr' | 'error' | 'resize'
export type End = 'client' | 'upstream'

export type Heard =
  /** May be empty: that a channel is open is news too. */
  | { readonly kind: 'data'; readonly channel: Channel; readonly bytes: Buffer }
  /** Nothing more comes on it; `onward` says so to the other end, behind what came before. */
  | { readonly kind: 'end'; readonly channel: Channel; readonly onward: readonly Buffer[] }
  /** Belongs to the protocol, not to a channel. `instead`: what the target would answer, where it is not to hear of it. */
  | { readonly kind: 'other'; readonly onward: readonly Buffer[]; instead?(): readonly Buffer[] }
  /** This end says nothing more at all. */
  | { readonly kind: 'close'; readonly onward: readonly Buffer[] }

export interface Tongue {
  /** Throws a HoopError `protocol-error`; there is no going on after that. */
  hear(from: End, chunk: Buffer): Iterable<Heard>
  /** Has the client made it known, so that something can be said on it? */
  isOpen(channel: Channel): boolean
  /** Nothing where that end does not listen to it (any more). */
  say(to: End, channel: Channel, bytes: Buffer): readonly Buffer[]
  /** For the gateway's own end: closes what is open, in the words of the protocol. */
  bye(to: End): readonly Buffer[]
  /** How a command's end is told on the error channel: as a Status, or in plain words. */
  readonly error: 'status' | 'text'
}

/** Who may say something on it. */
export const speaker: Readonly<Record<Channel, End>> = {
  stdin: 'client',
  resize: 'client',
  stdout: 'upstream',
  stderr: 'upstream',
  error: 'upstream',
}
