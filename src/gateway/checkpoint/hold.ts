/** What a protocol is told while people decide, to be passed on to its client. */

export interface Hold {
  readonly approval: string
  readonly session: string
  readonly rule: string
  /** Sentence for the person who waits: who can approve, until when, and what to type. */
  readonly message: string
  readonly hint: string
  readonly groups: readonly string[]
  /** Milliseconds since 1970 at which it expires. */
  readonly expires: number
}
