/** What is said on a port-forward, whichever protocol carries it. Pure. */
import type { End } from './tongue.ts'

export type ForwardHeard =
  /** The client wants a connection to a port (or the errors of one). One of the two is called, before anything else. */
  | {
      readonly kind: 'open'
      readonly port: number
      /** For the target. */
      go(): readonly Buffer[]
      /** For the client; nothing of it reaches the target. */
      no(words: string): readonly Buffer[]
    }
  | { readonly kind: 'data'; readonly port: number; readonly bytes: number; readonly onward: readonly Buffer[] }
  | { readonly kind: 'other'; readonly onward: readonly Buffer[] }
  | { readonly kind: 'close'; readonly onward: readonly Buffer[] }

export interface ForwardTongue {
  /** Known before anything is said; others come with `open`. */
  readonly ports: readonly number[]
  /** Throws a HoopError `protocol-error`; there is no going on after that. */
  hear(from: End, chunk: Buffer): Iterable<ForwardHeard>
  /** For the gateway's own end. */
  bye(to: End, words: string): readonly Buffer[]
}
