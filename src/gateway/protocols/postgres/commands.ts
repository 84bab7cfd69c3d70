/**
 * An SQL text as commands: one for each statement, judged by PostgreSQL's own grammar and the target's catalog. What does
 * not parse, is too large, or cannot be read for certain is one command of the worst class whose facts say so.
 */
import { createRecent } from '../../../base/recent.ts'
import type { ReadResult, SqlSession, Statement, StatementReader } from './parts.ts'
import { type Batch, createBatch, endsTransaction, type Origin, type PathSetting, pathSettingOf } from './sql/batch.ts'
import type { Catalog } from './sql/catalog.ts'
import { asStatement, unparsed } from './sql/command.ts'
import { type Draft, draftsOf, innerOf } from './sql/draft.ts'
import { effectsOf } from './sql/effects.ts'
import { decodeSql } from './sql/encoding.ts'
import type { Resolved } from './sql/outcome.ts'
import { createParser } from './sql/parse.ts'
import { createPending, type Pending } from './sql/pending.ts'
import { createContext } from './sql/read.ts'
import { createReading } from './sql/reading.ts'
import { resolve } from './sql/resolve.ts'
import { createTemplates } from './sql/template.ts'
import type { World } from './sql/world.ts'

interface StatementReaderSettings {
  /** A longer text is not judged. */
  readonly maxStatementBytes: number
}

/** The last judgement of a draft, good for as long as nothing that it stands on changes. */
interface Judgement {
  readonly generation: number
  readonly searchPath: PathSetting
  readonly resolved: Resolved
  readonly statement: Statement
  /** What a text of this one statement reads as, where nothing of it concerns those that come after. */
  readonly alone: ReadResult | undefined
}

interface Known {
  readonly drafts: readonly Draft[]
  /** Of the one statement, where it was drafted of another text of the same shape. */
  readonly text: string | undefined
}

/** Of one conversation, which its catalog stands for. */
interface Learnt {
  readonly pending: Pending
  readonly judgements: Map<Draft, Judgement>
}

const rememberedTexts = 2_000
/** For each conversation: what a program says again and again. */
const rememberedJudgements = 250
const rememberedBytes = 16 * 1024 * 1024

export async function createStatementReader({ maxStatementBytes }: StatementReaderSettings): Promise<StatementReader> {
  const parser = await createParser()
  const context = createContext(parser)
  const exactly = createRecent<readonly Draft[]>(rememberedTexts, rememberedBytes, rememberedBytes / 16)
  const templates = createTemplates(rememberedTexts, rememberedBytes)
  const origins = new WeakMap<Statement, Origin>()
  const learnt = new WeakMap<Catalog, Learnt>()

  function knownDrafts(sql: string): Known | undefined {
    const drafts = exactly.get(sql)
    return drafts === undefined ? templates.find(sql) : { drafts, text: undefined }
  }

  async function draft(sql: string): Promise<Known | undefined> {
    await parser.ready()
    const drafts = draftsOf(sql, context)
    if (drafts === undefined) return undefined
    exactly.set(sql, drafts, Buffer.byteLength(sql))
    templates.learn(sql, drafts)
    return { drafts, text: undefined }
  }

  function resultOf(alone: ReadResult, text: string | undefined): ReadResult {
    return text === undefined ? alone : { statements: alone.statements.map((one) => withText(one, text)) }
  }

  /** The statement of a text of the same shape, with this one's own text. */
  function withText(statement: Statement, text: string | undefined): Statement {
    const origin = origins.get(statement)
    if (text === undefined || text === statement.command.text || origin === undefined) return statement
    const own: Statement = { ...statement, command: { ...statement.command, text } }
    origins.set(own, { ...origin, draft: { ...origin.draft, text } })
    return own
  }

  function learntOf(catalog: Catalog): Learnt {
    const known = learnt.get(catalog)
    if (known !== undefined) return known
    const fresh: Learnt = { pending: createPending(), judgements: new Map() }
    learnt.set(catalog, fresh)
    return fresh
  }

  /** What this session's transaction has made; forgotten once it is over and the catalog can be asked again. */
  function pendingOf({ catalog, transaction, certain }: SqlSession): Pending {
    const { pending } = learntOf(catalog)
    if (!pending.isEmpty && transaction === 'I' && certain) {
      pending.clear()
      catalog.invalidate()
    }
    return pending
  }

  function judgedBefore(one: Draft, { catalog }: SqlSession, path: PathSetting): Judgement | undefined {
    const { pending, judgements } = learntOf(catalog)
    const known = judgements.get(one)
    const isSame = known?.generation === catalog.generation && known.searchPath === path
    return isSame && pending.isEmpty && isLasting(one) ? known : undefined
  }

  async function judge(one: Draft, batch: Batch): Promise<Statement> {
    const { session, pending } = batch
    const { catalog } = session
    const searchPath = batch.searchPath()
    const known = judgedBefore(one, session, searchPath)
    if (known !== undefined) {
      batch.ran(one, known.resolved, undefined)
      return known.statement
    }
    const { generation } = catalog
    const world: World = {
      catalog,
      pending,
      context,
      serverVersion: serverVersion(session),
      searchPath,
      prepared: batch.prepared,
    }
    const inner = innerOf(one, context)
    const innerStatement = inner === undefined ? undefined : asStatement(inner, await resolve(inner.reading, world), [])
    if (inner !== undefined && innerStatement !== undefined)
      origins.set(innerStatement, { draft: inner, generation, searchPath })
    const resolved = await resolve(one.reading, world)
    const effects = effectsOf(one.tree, one.reading, resolved, innerStatement, hidden)
    const statement = asStatement(one, resolved, effects)
    origins.set(statement, { draft: one, generation, searchPath })
    if (pending.isEmpty && isLasting(one)) {
      const alone = leavesNothing(one, resolved) ? { statements: [statement] } : undefined
      const { judgements } = learntOf(catalog)
      if (judgements.size >= rememberedJudgements) judgements.clear()
      judgements.set(one, { generation, searchPath, resolved, statement, alone })
    }
    batch.ran(one, resolved, inner)
    return statement
  }

  async function readAnew(
    sql: Buffer,
    text: string | undefined,
    known: Known | undefined,
    session: SqlSession,
    pending: Pending,
  ): Promise<ReadResult> {
    const made = text === undefined ? undefined : (known ?? (await draft(text)))
    if (made === undefined) {
      pending.addUnknown()
      return { statements: [unparsed(sql.toString('utf8'))] }
    }
    const batch = createBatch(session, pending, origins)
    const statements: Statement[] = []
    for (const one of made.drafts) statements.push(withText(await judge(one, batch), made.text))
    return { statements }
  }

  /** By the catalog of now; the very same object where that makes no difference. */
  async function judgeAgain(
    statement: Statement,
    origin: Origin,
    session: SqlSession,
    pending: Pending,
  ): Promise<Statement> {
    const batch = createBatch(session, pending, origins)
    const isCertain = pending.isEmpty
    const again = await judge(origin.draft, batch)
    if (!isSame(again, statement)) return again
    // So that the next time it is known to be fresh without comparing.
    const by = origins.get(again)
    if (isCertain && by !== undefined) origins.set(statement, by)
    return statement
  }

  return {
    read(sql, session, whole) {
      const size = whole ?? sql.length
      const text = size > maxStatementBytes ? undefined : readable(sql, session)
      const known = text === undefined ? undefined : knownDrafts(text)
      // Before any judgement is looked up: it may be that what was known is stale by now.
      const pending = pendingOf(session)
      const [only, ...others] = known?.drafts ?? []
      if (only !== undefined && others.length === 0) {
        const alone = judgedBefore(only, session, pathSettingOf(session))?.alone
        if (alone !== undefined) return resultOf(alone, known?.text)
      }
      return readAnew(sql, text, known, session, pending)
    },
    refresh(statement, session) {
      const origin = origins.get(statement)
      const pending = pendingOf(session)
      if (origin === undefined) {
        pending.addUnknown()
        return statement
      }
      const { reading } = origin.draft
      const isFresh =
        pending.isEmpty &&
        origin.generation === session.catalog.generation &&
        origin.searchPath === pathSettingOf(session) &&
        reading.executes.length === 0
      if (!isFresh) return judgeAgain(statement, origin, session, pending)
      pending.add(reading)
      return statement
    },
    async functionCall(oid, session) {
      const reading = createReading()
      reading.actions.push({ verb: 'FUNCTION CALL', kind: 'read' })
      reading.functionOids.push(oid)
      const called: Draft = { tree: undefined, text: `FUNCTION CALL ${oid}`, reading }
      return judge(called, createBatch(session, pendingOf(session), origins))
    },
  }
}

/** Its meaning hangs on the catalog alone, not on what else this session has prepared. */
function isLasting({ reading }: Draft): boolean {
  return reading.executes.length === 0 && reading.prepares.length === 0
}

/** Neither the catalog nor a setting is other after it than before, nor does it end a transaction. */
function leavesNothing({ reading }: Draft, { settings, actions }: Resolved): boolean {
  const { creations, opaque, reshuffles, temporary } = reading
  const changes = creations.length > 0 || opaque || reshuffles || temporary || settings.length > 0
  return !changes && !actions.some(({ verb }) => endsTransaction(verb))
}

function isSame(one: Statement, other: Statement): boolean {
  const { command, effects, eager } = one
  return (
    JSON.stringify(command) === JSON.stringify(other.command) &&
    eager === other.eager &&
    JSON.stringify(effects) === JSON.stringify(other.effects)
  )
}

const hidden = unparsed('(prepared inside another statement)')

/** Before 15 a number may run into a name: `1_000` is 1 AS _000 there, and a number for the grammar that is used here. */
const newNumbers = /(?<![\w$])\d+(_|[xob][0-9a-f_])/i

/** The text as the server will read it; undefined where that cannot be told. */
function readable(sql: Buffer, session: SqlSession): string | undefined {
  const { parameters, certain } = session
  const text = decodeSql(sql, certain ? parameters.get('client_encoding') : undefined)
  if (text === undefined || text.includes('\0')) return undefined
  // With standard_conforming_strings off a backslash escapes in plain literals too, and so moves where they end.
  const isStandard = certain && parameters.get('standard_conforming_strings') === 'on'
  if (!isStandard && text.includes('\\')) return undefined
  return serverVersion(session) < 150_000 && newNumbers.test(text) ? undefined : text
}

/** `15.18 (Debian 15.18-0+deb12u1)` → 150018, `18beta1` → 180000. Unknown: the oldest, whose grammar has fewest keywords. */
function serverVersion({ parameters }: SqlSession): number {
  const [, major, minor] = parameters.get('server_version')?.match(/^(\d+)(?:\.(\d+))?/) ?? []
  return Number(major ?? 0) * 10_000 + Number(minor ?? 0)
}
