/**
 * The extended protocol: Parse is looked at early, Execute is what runs and is cleared with the values of Bind. After a
 * refusal the rest up to Sync is dropped here, as the server drops it after the failure that stands in the refusal's place.
 */

import type { Parameter } from '../../../contract/command.ts'
import { hoopError } from '../../../contract/error-codes.ts'
import type { Refusal } from '../../../contract/refusal.ts'
import type { Ahead } from './ahead.ts'
import { type BindView, createBindReader, readBind } from './bind.ts'
import { type Cleared, clear, commandsOf, refuse, type Some } from './clear.ts'
import { readAhead } from './judged.ts'
import { type Expected, mayChangeMeaning } from './ledger.ts'
import {
  type ExecuteView,
  nameKey,
  type ParseView,
  readExecute,
  readNamed,
  readParse,
  readParseBeginning,
  View,
} from './messages.ts'
import type { Names } from './names.ts'
import { readParameters } from './parameters.ts'
import type { Statement } from './parts.ts'
import type { Portal, Prepared } from './prepared.ts'
import { drop, type Rest } from './rest.ts'
import type { Run } from './run.ts'
import { changesMeaning, untilNamed } from './simple.ts'
import { andThen, each, type Soon } from './soon.ts'
import { unparsed } from './sql/command.ts'
import { type Talk, untilAnswered, untilCertain } from './talk.ts'
import type { Piece } from './wire.ts'

export interface Extended {
  parse(piece: Piece): Soon<Rest | undefined>
  bind(piece: Piece): Soon<Rest | undefined>
  describe(piece: Piece): Soon<undefined>
  execute(piece: Piece): Soon<Rest | undefined>
  close(piece: Piece): undefined
  flush(piece: Piece): undefined
  sync(piece: Piece): undefined
}

/** What a Bind runs before it is executed, what it does otherwise, or that it goes nowhere. */
type Bound = Run | undefined | 'dropped'

export function createExtended(talk: Talk, ahead: Ahead): Extended {
  const { ledger, session, outward } = talk

  function tell(refusal: Refusal): Rest {
    ledger.push({ kind: 'refused', group: talk.group, refusal })
    outward.say('failure')
    talk.skipping = true
    return drop
  }

  /** Of what does not even get to policy. */
  async function object(statements: readonly Statement[], text: string, why: string): Promise<Rest> {
    const [first = unparsed(text), ...others] = statements
    const refusal = await refuse(talk, [first, ...others], why)
    return talk.skipping || talk.over ? drop : tell(refusal)
  }

  function keyOf(name: Buffer): string | undefined {
    return nameKey(name, session.parameters.get('client_encoding'))
  }

  /** What a name means, once that cannot change any more by an answer that is still to come. */
  function meaning<V>(names: Names<V>, key: string | undefined): Soon<V | undefined> {
    if (key === undefined) return undefined
    const { value, group } = names.meaning(key)
    if (group === undefined || group === talk.group) return value
    return andThen(untilAnswered(talk, group), () => names.meaning(key).value)
  }

  function refreshed(statements: readonly Statement[]): Soon<readonly Statement[]> {
    return each(statements, (statement) => talk.reader.refresh(statement, session))
  }

  function parse(piece: Piece): Soon<Rest | undefined> {
    const view = piece.last ? readParse(piece.bytes) : readParseBeginning(piece.bytes)
    return andThen(untilNamed(talk, view.sql), () => {
      if (talk.skipping || talk.over) return drop
      const key = keyOf(view.name)
      const whole = piece.last ? undefined : piece.total - (piece.bytes.length - view.sql.length)
      return andThen(ahead.reading(piece) ?? talk.reader.read(view.sql, session, whole), ({ statements }) => {
        if (talk.skipping || talk.over) return drop
        if (key === undefined) return object(statements, view.sql.toString(), unclearName)
        return prepare(piece, view, key, statements)
      })
    })
  }

  function prepare(
    piece: Piece,
    view: ParseView,
    key: string,
    statements: readonly Statement[],
  ): Soon<Rest | undefined> {
    const prepared: Prepared = { statements, types: view.types }
    const [first, ...others] = statements
    if (first === undefined) {
      ledger.push({ kind: 'parse', group: talk.group, done: session.statements.change(key, prepared, talk.group) })
      outward.prepareNothing(view)
      return undefined
    }
    const read = readAhead(talk.checkpoint, statements)
    if (read === undefined) return denied(piece, [first, ...others])
    ledger.push({ kind: 'parse', group: talk.group, done: session.statements.change(key, prepared, talk.group) })
    outward.prepare(piece, read)
    return piece.last ? undefined : more
  }

  async function denied(piece: Piece, statements: readonly [Statement, ...Statement[]]): Promise<Rest | undefined> {
    const cleared = await clear(talk, statements)
    if (cleared === 'skipped') return drop
    if ('refusal' in cleared) return tell(cleared.refusal)
    // Policy has changed its mind between two looks; nothing has run yet.
    for (const run of cleared.runs) run.settle({ status: 'not-run' })
    return parse(piece)
  }

  function more(part: Piece): Promise<void> {
    outward.more(part)
    return outward.flush()
  }

  function bind(piece: Piece): Soon<Rest | undefined> {
    return piece.last
      ? andThen(bound(readBind(piece.bytes), piece), (run) => forwardBind(piece, run))
      : bindInParts(piece)
  }

  async function bindInParts(piece: Piece): Promise<Rest> {
    const names = new View(piece.bytes)
    names.cstring()
    // Its values are not known before all of it has arrived, and by then the target has its first half.
    const { statements } = await named(names.cstring())
    if (isEager(statements)) return object(statements, '', tooLargeToPlan)
    const reader = createBindReader(piece.total)
    reader.feed(piece.bytes)
    if (talk.skipping || talk.over) return drop
    outward.keepHouse(piece)
    return async (part) => {
      const view = reader.feed(part.bytes)
      if (view !== undefined) await bound(view, undefined)
      // Also after a failure: the server has the first half of this message.
      return more(part)
    }
  }

  function forwardBind(piece: Piece, run: Bound): Rest | undefined {
    if (run === 'dropped' || talk.skipping || talk.over) return drop
    if (run === undefined) outward.keepHouse(piece)
    else outward.run(piece, [run.permit])
    return undefined
  }

  /** A prepared statement, and what it means by now. */
  function named(name: Buffer): Soon<{ prepared: Prepared | undefined; statements: readonly Statement[] }> {
    return andThen(untilCertain(talk), () =>
      andThen(meaning(session.statements, keyOf(name)), (prepared) =>
        andThen(refreshed(prepared?.statements ?? []), (statements) => ({ prepared, statements })),
      ),
    )
  }

  /** Planning an eager statement runs it, and Bind plans: then Bind is what is cleared, and Execute is part of it. */
  function bound(view: BindView, whole: Piece | undefined): Soon<Bound> {
    return andThen(named(view.statement), ({ prepared, statements }) => {
      // The server failed meanwhile: it will skip this one.
      if (talk.skipping || talk.over) return undefined
      const parameters = readParameters(view.values, prepared?.types ?? [])
      const [first, ...others] = statements
      if (first === undefined || !isEager(statements)) return openPortal(view, whole, prepared, parameters, undefined)
      // It was not when its first half was forwarded; nothing can be put in its place any more.
      if (whole === undefined)
        throw hoopError('protocol-error', 'a statement became one that its planning runs while it was bound')
      return andThen(clear(talk, [first, ...others], commandsOf([first, ...others], parameters)), (cleared) => {
        if (cleared === 'skipped') return 'dropped'
        if ('runs' in cleared) return openPortal(view, whole, prepared, parameters, cleared.runs[0])
        tell(cleared.refusal)
        return 'dropped'
      })
    })
  }

  function openPortal<R extends Run | undefined>(
    view: BindView,
    whole: Piece | undefined,
    prepared: Prepared | undefined,
    parameters: readonly Parameter[],
    run: R,
  ): R {
    const key = keyOf(view.portal)
    const name = Buffer.from(view.portal)
    const portal: Portal = { prepared, name, parameters, bytes: view.bytes, run, started: false, described: false }
    if (whole !== undefined) ahead.bound(whole, portal)
    // A portal whose name we cannot tell is one that we do not know: executing it is refused.
    const change = key === undefined ? undefined : session.portals.change(key, portal, talk.group)
    const done = (accepted: boolean) => {
      const replaced = accepted && key !== undefined ? session.portals.accepted().get(key) : undefined
      replaced?.run?.settle({ status: 'done' })
      change?.(accepted)
    }
    ledger.push({ kind: 'bind', group: talk.group, done, run })
    return run
  }

  function describe(piece: Piece): Soon<undefined> {
    const { kind, name } = readNamed(piece.bytes)
    const key = keyOf(name)
    const pass = (entry: Expected): undefined => {
      if (talk.skipping) return
      ledger.push(entry)
      outward.keepHouse(piece)
    }
    const { group } = talk
    return kind === 'statement'
      ? andThen(meaning(session.statements, key), (prepared) => pass({ kind: 'describe-statement', group, prepared }))
      : andThen(meaning(session.portals, key), (portal) => {
          const settle = (isDescribed: boolean) => {
            if (portal !== undefined) portal.described = isDescribed
          }
          if (!talk.skipping) settle(true)
          return pass({ kind: 'describe-portal', group, portal, shown: true, done: settle })
        })
  }

  function execute(piece: Piece): Soon<Rest | undefined> {
    const view = readExecute(piece.bytes)
    return andThen(untilCertain(talk), () =>
      andThen(meaning(session.portals, keyOf(view.portal)), (portal) => {
        if (talk.skipping || talk.over) return drop
        if (portal?.run === undefined)
          return andThen(statementsOf(portal, view), (statements) => run(piece, view, portal, statements))
        if (portal.started) ledger.push({ kind: 'execute', group: talk.group, run: portal.run, portal })
        else expect(portal, view.portal, [portal.run])
        outward.runOn(piece, portal.run.permit)
        return undefined
      }),
    )
  }

  async function run(
    piece: Piece,
    view: ExecuteView,
    portal: Portal | undefined,
    statements: readonly Statement[] | undefined,
  ): Promise<Rest | undefined> {
    if (talk.skipping || talk.over) return drop
    if (statements === undefined) return object([], `EXECUTE of portal "${view.portal}"`, unknownStatement)
    const [first, ...others] = statements
    if (first === undefined) {
      ledger.push({ kind: 'execute', group: talk.group, run: undefined, portal: undefined })
      outward.runNothing(piece)
      return undefined
    }
    const cleared = await (ahead.take(piece, portal, statements) ?? clearFirst([first, ...others], portal))
    if (cleared === 'skipped') return drop
    if ('refusal' in cleared) return tell(cleared.refusal)
    forward(piece, portal, view.portal, cleared.runs)
    return undefined
  }

  /** Those behind it in the pipeline are cleared with it, unless it may have to wait for people. */
  function clearFirst(statements: Some<Statement>, portal: Portal | undefined): Promise<Cleared> {
    const commands = commandsOf(statements, portal?.parameters)
    const isPlain =
      !statements.some(mayChangeMeaning) &&
      commands.every((command) => talk.checkpoint.preview(command).verdict === 'allow')
    const cleared = clear(talk, statements, commands)
    if (isPlain) ahead.look()
    return cleared
  }

  /** A portal that Bind did not make may be a cursor that SQL declared: running it is fetching from it. */
  function statementsOf(portal: Portal | undefined, view: ExecuteView): Soon<readonly Statement[] | undefined> {
    if (portal !== undefined) return portal.prepared === undefined ? undefined : refreshed(portal.prepared.statements)
    const name = view.portal.toString('latin1').replaceAll('"', '""')
    const fetch = `FETCH FORWARD ${view.maxRows > 0 ? view.maxRows : 'ALL'} FROM "${name}"`
    return andThen(talk.reader.read(Buffer.from(fetch, 'latin1'), session), ({ statements }) => statements)
  }

  function forward(piece: Piece, portal: Portal | undefined, name: Buffer, runs: readonly [Run, ...Run[]]): void {
    if (portal !== undefined) portal.run = runs[0]
    runs[0].sent(portal?.bytes ?? 0)
    expect(portal, name, runs)
    const [permit, ...permits] = runs.map((each) => each.permit)
    if (permit === undefined) throw new Error('no permit for a command')
    outward.run(piece, [permit, ...permits])
    // The server runs one command a portal; it refuses the others at Parse.
    for (const other of runs.slice(1)) other.settle({ status: 'not-run' })
  }

  /** The answers to the first Execute of a portal. */
  function expect(portal: Portal | undefined, name: Buffer, runs: readonly [Run, ...Run[]]): void {
    const [run] = runs
    if (portal !== undefined) portal.started = true
    if ((!run.permit.masks.empty || run.permit.sampleRows > 0) && portal?.described !== true) {
      // Only a description of this very portal says what its columns are.
      ledger.push({ kind: 'describe-portal', group: talk.group, portal, shown: false })
      outward.describePortal(name)
    }
    const entry = ledger.push({
      kind: 'execute',
      group: talk.group,
      run,
      portal,
      // Skipped or failed: should the portal have survived, running it is a new command.
      done: (accepted) => {
        if (!accepted && portal !== undefined) portal.run = undefined
      },
    })
    if (changesMeaning(runs.map(({ statement }) => statement))) talk.unsettled = entry
  }

  function close(piece: Piece): undefined {
    const { kind, name } = readNamed(piece.bytes)
    const key = keyOf(name)
    if (key === undefined) {
      // It may close a name that we know under another key: nothing that is known by name counts any more.
      ledger.push({
        kind: 'close',
        group: talk.group,
        done: session.statements.change(undefined, undefined, talk.group),
      })
    } else if (kind === 'statement') {
      ledger.push({ kind: 'close', group: talk.group, done: session.statements.change(key, undefined, talk.group) })
    } else {
      const portal = session.portals.meaning(key).value
      const change = session.portals.change(key, undefined, talk.group)
      const done = (accepted: boolean) => {
        change(accepted)
        if (accepted) portal?.run?.settle({ status: 'done' })
      }
      ledger.push({ kind: 'close', group: talk.group, done })
    }
    outward.keepHouse(piece)
  }

  function flush(piece: Piece): undefined {
    outward.keepHouse(piece)
  }

  function sync(piece: Piece): undefined {
    // While it waits for COPY data the server ignores a Sync (and answers none); here it ends no group either.
    if (talk.copying !== undefined && !talk.skipping) return
    void ahead.drop()
    talk.skipping = false
    ledger.push({ kind: 'sync', group: talk.group })
    talk.group += 1
    outward.keepHouse(piece)
  }

  return { parse, bind, describe, execute, close, flush, sync }
}

const unclearName = 'a statement or portal has a name that the gateway cannot tell from others in this client encoding'
const unknownStatement = 'a portal is executed that was bound to a statement unknown to the gateway'

const tooLargeToPlan =
  'planning it would already run a function that writes although it is declared immutable or stable, and its values are too large to be shown first'

function isEager(statements: readonly Statement[]): boolean {
  return statements.some(({ eager }) => eager)
}
