/** What the bytes of a body go through: values in, values out. passage-stream.ts makes a stream of one. */
export interface Passage {
  /** What may be shown of what has come so far; some of it may be kept back. Throws a WithheldError. */
  push(bytes: Buffer): Buffer
  /** The rest, at the end. */
  end(): Buffer
  /** What is kept back, as it stands, for whoever waits for more than a moment; absent where that would show too much. */
  flush?(): Buffer
  /** What is kept back though it may be shown, in case that something worse comes behind it. */
  releases?(): Buffer
  /** Something is kept back that `flush` would give. */
  readonly waiting?: boolean
  /** Something was hidden. */
  readonly masked: boolean
}

export const nothing = Buffer.alloc(0)

export function joined(pieces: readonly Buffer[]): Buffer {
  return pieces.length === 1 ? (pieces[0] ?? nothing) : Buffer.concat(pieces)
}
