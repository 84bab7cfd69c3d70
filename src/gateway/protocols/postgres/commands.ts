/**
 * An SQL text as commands: one for each statement, judged by PostgreSQL's own grammar and the target's catalog. What does
 * not parse, is too large, or cannot be read for certain is one command of the worst class whose facts say so.
 */
import type { SqlSession, Statement, StatementReader } from './parts.ts'
import { type Batch, createBatch, type Origin } from './sql/batch.ts'
import type { Catalog } from './sql/catalog.ts'
import { asStatement, unparsed } from './sql/command.ts'
import { effectsOf } from './sql/effects.ts'
import { decodeSql } from './sql/encoding.ts'
import { draftsOf, type Draft, innerOf } from './sql/draft.ts'
import { createParser } from './sql/parse.ts'
import { createPending, type Pending } from './sql/pending.ts'
import { createContext } from './sql/read.ts'
import { createReading } from './sql/reading.ts'
import { createRecent } from './sql/recent.ts'
import { resolve } from './sql/resolve.ts'
import type { World } from './sql/world.ts'
import type { Resolved } from './sql/outcome.ts'

interface StatementReaderSettings {
  /** A longer text is not judged. */
  readonly maxStatementBytes: number
}

interface Judgement {
  readonly catalog: Catalog
  readonly generation: number
  readonly searchPath: string | null | undefined
  readonly resolved: Resolved
  readonly statement: Statement
}

const rememberedTexts = 2_000
const rememberedBytes = 16 * 1024 * 1024

export async function createStatementReader({ maxStatementBytes }: StatementReaderSettings): Promise<StatementReader> {
  const parser = await createParser()
  const context = createContext(parser)
  const drafts = createRecent<readonly Draft[]>(rememberedTexts, rememberedBytes)
  const origins = new WeakMap<Statement, Origin>()
  const pendings = new WeakMap<Catalog, Pending>()
  /** The last judgement of a draft, for as long as nothing that it stands on changes. */
  const judged = new WeakMap<Draft, Judgement>()

  async function draft(sql: string): Promise<readonly Draft[] | undefined> {
    const known = drafts.get(sql)
    if (known !== undefined) return known
    await parser.ready()
    const made = draftsOf(sql, context)
    if (made !== undefined) drafts.set(sql, made, Buffer.byteLength(sql))
    return made
  }

  /** What this session's transaction has made; forgotten once it is over and the catalog can be asked again. */
  function pendingOf(session: SqlSession): Pending {
    const pending = pendings.get(session.catalog) ?? createPending()
    pendings.set(session.catalog, pending)
    if (session.transaction === 'I' && session.certain && !pending.isEmpty) {
      pending.clear()
      session.catalog.invalidate()
    }
    return pending
  }

  async function judge(one: Draft, batch: Batch): Promise<Statement> {
    const { session, pending } = batch
    const { catalog } = session
    const searchPath = batch.searchPath()
    const world: World = {
      catalog,
      pending,
      context,
      serverVersion: serverVersion(session),
      searchPath,
      prepared: batch.prepared,
    }
    const { generation } = catalog
    const known = judged.get(one)
    const isSame = known?.catalog === catalog && known.generation === generation && known.searchPath === searchPath
    if (known !== undefined && isSame && pending.isEmpty && isLasting(one)) {
      batch.ran(one, known.resolved, undefined)
      return known.statement
    }
    const inner = innerOf(one, context)
    const innerStatement = inner === undefined ? undefined : asStatement(inner, await resolve(inner.reading, world), [])
    if (inner !== undefined && innerStatement !== undefined)
      origins.set(innerStatement, { draft: inner, generation, searchPath })
    const resolved = await resolve(one.reading, world)
    const effects = effectsOf(one.tree, one.reading, resolved, innerStatement, hidden)
    const statement = asStatement(one, resolved, effects)
    origins.set(statement, { draft: one, generation, searchPath })
    if (pending.isEmpty && isLasting(one)) judged.set(one, { catalog, generation, searchPath, resolved, statement })
    batch.ran(one, resolved, inner)
    return statement
  }

  return {
    async read(sql, session, whole) {
      const size = whole ?? sql.length
      const pending = pendingOf(session)
      const text = size > maxStatementBytes ? undefined : readable(sql, session)
      const made = text === undefined ? undefined : await draft(text)
      if (made === undefined) {
        pending.addUnknown()
        return { statements: [unparsed(sql.toString('utf8'))] }
      }
      const batch = createBatch(session, pending, origins)
      const statements: Statement[] = []
      for (const one of made) statements.push(await judge(one, batch))
      return { statements }
    },
    async refresh(statement, session) {
      const origin = origins.get(statement)
      const pending = pendingOf(session)
      if (origin === undefined) {
        pending.addUnknown()
        return statement
      }
      const { reading } = origin.draft
      const batch = createBatch(session, pending, origins)
      const isFresh =
        pending.isEmpty &&
        origin.generation === session.catalog.generation &&
        origin.searchPath === batch.searchPath() &&
        reading.executes.length === 0
      const again = isFresh ? statement : await judge(origin.draft, batch)
      if (isFresh) pending.add(reading)
      return JSON.stringify(again.command) === JSON.stringify(statement.command) ? statement : again
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
