/**
 * What the parts of this folder give each other, as types: the conversation (relay) hands SQL to the statement reader
 * (commands.ts) and rows to the result masker (results.ts), and offers both a side connection to the same database.
 * Nothing here does anything.
 */
import type { Command, Impact } from '../../../contract/command.ts'
import type { ResultSample } from '../../../contract/record.ts'
import type { Permit } from '../../checkpoint.ts'
import type { MaskingHint } from './masking/hint.ts'
import type { SideConnection } from './side-connection.ts'
import type { Soon } from './soon.ts'
import type { Catalog } from './sql/catalog.ts'

export type { OpenSideConnection, SideConnection } from './side-connection.ts'

/** What the conversation knows of its server session when a statement is read. */
export interface SqlSession {
  /** What the server has reported: `client_encoding`, `standard_conforming_strings`, `server_version` … */
  readonly parameters: ReadonlyMap<string, string>
  /**
   * False: commands are on their way that may have changed a parameter which only shows later, or the catalog (effects
   * `set` and `ddl`). What reads differently under another `standard_conforming_strings` or `client_encoding` must then
   * count as not parsed, and what was learnt of the catalog counts as stale until they are answered.
   */
  readonly certain: boolean
  /** The status byte of the last ReadyForQuery: idle, in a transaction, in a failed one. */
  readonly transaction: 'I' | 'T' | 'E'
  /** Prepared statements by name, of the protocol's Parse and of SQL's PREPARE alike: the server has one name space. */
  readonly prepared: ReadonlyMap<string, readonly Statement[]>
  /** SQL cursors by name: what they were declared for. */
  readonly cursors: ReadonlyMap<string, Statement>
  /** Settings changed by SET in this session (lower case); null: changed, to what cannot be known. */
  readonly settings: ReadonlyMap<string, string | null>
  readonly catalog: Catalog
}

/** What a statement does to the session once the server has accepted it; the conversation keeps track. */
export type Effect =
  | { readonly type: 'prepare'; readonly name: string; readonly statements: readonly Statement[] }
  /** name undefined: all of them. */
  | { readonly type: 'deallocate'; readonly name?: string }
  | { readonly type: 'declare'; readonly name: string; readonly statement: Statement }
  | { readonly type: 'close'; readonly name?: string }
  /** value null: to something that cannot be known. name undefined: any setting may have changed. */
  | { readonly type: 'set'; readonly name?: string; readonly value: string | null; readonly local: boolean }
  /** The catalog has changed: names may mean something else. */
  | { readonly type: 'ddl' }

/** One SQL statement of a batch, understood. */
export interface Statement {
  /** Without parameters; the conversation adds those of Bind. */
  readonly command: Command
  readonly effects: readonly Effect[]
  /** For the result masker; opaque to the conversation. */
  readonly masking: MaskingHint
  /**
   * Planning it already runs something that does more than read: a function that writes and is declared immutable or
   * stable nevertheless. In the extended protocol Bind plans, so there it is Bind that has to be cleared.
   */
  readonly eager: boolean
}

export interface ReadResult {
  /** One for each statement, in order. Empty only where PostgreSQL's grammar finds no statement at all (`;`, a comment). */
  readonly statements: readonly Statement[]
}

/** commands.ts: `createStatementReader({ maxStatementBytes })`. */
export interface StatementReader {
  /**
   * Never rejects for what the SQL says: what does not parse is one Statement whose facts say `parsed: false`.
   * `whole`: bytes of the whole text, when `sql` is only its beginning because the rest is too large to be judged.
   */
  read(sql: Buffer, session: SqlSession, whole?: number): Soon<ReadResult>
  /**
   * The same statement judged by the catalog as it is now: to be asked before each Execute of what was read at Parse, as
   * a function may have been replaced since. The very same object when nothing has changed.
   */
  refresh(statement: Statement, session: SqlSession): Soon<Statement>
  /** A fast-path FunctionCall: verb `FUNCTION CALL`, the function by OID from the catalog. */
  functionCall(oid: number, session: SqlSession): Promise<Statement>
}

/** impact.ts: what a held command would touch. */
export type AskImpact = (
  command: Command,
  statement: Statement,
  side: SideConnection,
  signal: AbortSignal,
) => Promise<Impact>

/**
 * results.ts: `createResultMasker({ open, catalog })`, one for each conversation; `catalog` comes from
 * `catalogs.of('target/database')` of the one `createMaskCatalogs()` that the gateway has.
 */
export interface ResultMasker {
  /**
   * For every permitted statement, before it is forwarded, in the order in which they are. A sentence: it must not be
   * forwarded, because it would store masked values where nobody could recognise them any more; answer it as a refusal.
   */
  before(statement: Statement, permit: Permit, session: SqlSession): Soon<string | undefined>
  /**
   * Before a command's first row, once. `description` is the whole RowDescription frame as it will apply (formats
   * included); undefined when there is none: then every value is masked. `fresh`: the server sent it for this very
   * execution. An older one (a prepared statement described once) may name columns of other tables by now (search_path,
   * new temporary tables), so its origins are then not believed; where that masks too much, Describe the portal again.
   */
  rows(
    description: Buffer | undefined,
    statement: Statement,
    permit: Permit,
    session: SqlSession,
    fresh: boolean,
  ): Soon<RowHandling>
  /** Before a command's first CopyData to the client. `response` is the whole CopyOutResponse frame. */
  copyOut(response: Buffer, statement: Statement, permit: Permit, session: SqlSession): Promise<CopyHandling>
  /**
   * A whole ErrorResponse, NoticeResponse, NotificationResponse, ParameterStatus or FunctionCallResponse frame; the very
   * same buffer when nothing is masked. `statement`: the one running, where known.
   */
  said(frame: Buffer, permit: Permit, session: SqlSession, statement?: Statement): Buffer
}

/** `untouched`: the conversation streams bytes without looking at rows. */
export type RowHandling = 'untouched' | RowFilter

export interface RowFilter {
  /** A run of whole DataRow frames in, as many out; a row that cannot be understood comes out withheld. */
  rows(run: Buffer): Buffer
  /** What to put in place of a row that is larger than the limit for rows that must be looked at. */
  tooLarge(bytes: number): Buffer
  /** No later row has to be looked at: they may stream untouched (a sample is full and nothing is masked). */
  readonly sated: boolean
  readonly masked: boolean
  sample(): ResultSample | undefined
}

export type CopyHandling = 'untouched' | CopyFilter

export interface CopyFilter {
  /** A run of whole CopyData frames in; what to show instead (zero or more whole frames) out. */
  data(run: Buffer): Buffer
  /** Before CopyDone: what is still inside. */
  end(): Buffer
  tooLarge(bytes: number): Buffer
  readonly masked: boolean
  sample(): ResultSample | undefined
}
