/** What must not be seen, as the words that config, policy, checkpoint and protocols share. masks.ts makes one of these. */

export interface ColumnName {
  readonly schema: string
  readonly table: string
  readonly column: string
}

export const maskStyles = ['redact', 'partial', 'hash', 'null'] as const
export type MaskStyle = (typeof maskStyles)[number]

/** How many bytes at the beginning and at the end of a value may be seen; dots stand for what is between. */
export interface Hint {
  readonly head: number
  readonly tail: number
}

/** A place in a text, in UTF-16 units. */
export interface Found {
  readonly start: number
  readonly end: number
  readonly instead: string | null
}

/** What must not be seen, for one target and one person, compiled from the config. Pure. */
export interface Masks {
  /** Nothing to mask: answers may pass untouched. */
  readonly empty: boolean
  /** Same key, same answers: a protocol may cache what it worked out from them. */
  readonly key: string
  /** There are column masks at all (otherwise nobody needs to know where a column comes from). */
  readonly hasColumns: boolean
  /** There are detectors at all. */
  readonly hasDetectors: boolean
  column(name: ColumnName): MaskStyle | undefined
  /** There are masks of JSON members at all. */
  readonly hasFields: boolean
  /** Of the member at this place: names and indexes from the outermost in. What is inside of it is masked with it. */
  field(path: readonly string[]): MaskStyle | undefined
  /**
   * Members of this name are meant by some mask, whatever they stand in: of text which has no members that could be told
   * apart, nothing is shown where such a name stands.
   */
  meansMember(name: string): boolean
  /** The whole value, masked in this style; null for style `null`. */
  mask(style: MaskStyle, value: string): string | null
  /** What style `partial` leaves of a value that is ASCII; undefined: only `mask` can tell. Makes no strings. */
  hint(bytes: Uint8Array, start: number, end: number): Hint | undefined
  /** False: no detector finds anything in these bytes, whatever text they are part of. Quick, to be asked first. */
  suspects(bytes: Uint8Array, start: number, end: number): boolean
  /** What detectors find in a text, in order, and what is shown instead (null: nothing may be). */
  find(text: string): readonly Found[]
  /**
   * The value with whatever detectors find in it masked; the very same string when they find nothing; null when what was
   * found has style `null`, so that the whole value goes.
   */
  detect(value: string): string | null
}
