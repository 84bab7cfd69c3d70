/** What lineage stands on: which names hold what must not be seen. sensitivity.ts answers, tests may. */
import type { MaskStyle } from '../../../checkpoint.ts'
import { strictest } from './strictness.ts'

/** One column of a result or of something in FROM. */
export interface OutColumn {
  /** undefined: PostgreSQL gives it a name that is not worked out here. */
  readonly name: string | undefined
  /** How it has to be masked; undefined: it may be seen. */
  readonly style: MaskStyle | undefined
  /** The type's OID where the column comes straight from a relation. */
  readonly type?: number | undefined
  /** Only some of the relations that may be meant have it: a bare name may mean something around this. */
  readonly perhaps?: boolean | undefined
  /** Computed by the table itself: COPY leaves it out. */
  readonly generated?: boolean | undefined
}

/** What a relation, or several of one name in different schemas, shows to a query that names it. */
export interface RelationColumns {
  readonly columns: readonly OutColumn[]
  /** False: there may be columns of other names. */
  readonly exact: boolean
  /** False: they may be fewer, and in another order. */
  readonly ordered: boolean
  /** How a column must be masked that is not among `columns`. */
  readonly rest: MaskStyle | undefined
  /** Reading it reads something masked, though it may not show it: a view's WHERE can fail and say on what. */
  readonly touches: boolean
  /** INSERT may put masked values into a column without a mask: its default reads some. */
  readonly fills?: boolean
  /** Rewrite rules may make a statement about it do something else. */
  readonly hasRules: boolean
}

export interface Ground {
  /** All relations that the name may mean, as one. Nothing of that name: masked, whatever it is. */
  relation(name: string, schema: string | undefined): RelationColumns
  /** A function whose answer may hold masked values although its arguments do not. */
  suspectsFunction(name: string): boolean
  suspectsOperator(name: string): boolean
  /** A conversion to this type runs such a function. */
  suspectsType(name: string): boolean
  /** The outputs of a prepared statement or cursor; undefined: not known. */
  prepared(name: string): readonly Output[] | undefined
  cursor(name: string): readonly Output[] | undefined
}

/** An output column, or a run of none to many of them whose number is not known. */
export type Output = OutColumn | { readonly run: MaskStyle | undefined }

export function strictestOf(outputs: readonly Output[]): MaskStyle | undefined {
  let found: MaskStyle | undefined
  for (const output of outputs) found = strictest(found, 'run' in output ? output.run : output.style)
  return found
}

/**
 * Of a value that was made out of a masked one. Parts of a value must not get a style that shows something: the last four
 * digits of each of four quarters are the whole number, and the hash of one letter is that letter.
 */
export function derived(style: MaskStyle | undefined): MaskStyle | undefined {
  return style === undefined || style === 'null' ? style : 'redact'
}
