/** Statements that neither query nor define: COPY, SET, transactions, cursors, prepared statements, DO, EXPLAIN … */
import { readDo, readFunction } from './bodies.ts'
import type { Context } from './context.ts'
import {
  type Fields,
  fieldsOf,
  isFields,
  isTrue,
  list,
  options,
  optionText,
  relationOf,
  text,
  unwrap,
} from './nodes.ts'
import { relation, relations } from './objects.ts'
import type { Reading } from './reading.ts'
import { classifySetting, settingAction } from './settings.ts'
import { visitFields } from './walk.ts'

type Read = (fields: Fields, out: Reading, context: Context) => void

const plain =
  (verb: string): Read =>
  (_fields, out) => {
    out.actions.push({ verb, kind: 'read' })
  }

const transactions: Readonly<Record<string, string>> = {
  TRANS_STMT_BEGIN: 'BEGIN',
  TRANS_STMT_START: 'START TRANSACTION',
  TRANS_STMT_COMMIT: 'COMMIT',
  TRANS_STMT_ROLLBACK: 'ROLLBACK',
  TRANS_STMT_SAVEPOINT: 'SAVEPOINT',
  TRANS_STMT_RELEASE: 'RELEASE',
  TRANS_STMT_ROLLBACK_TO: 'ROLLBACK',
}

export const utility: Readonly<Record<string, Read>> = {
  TransactionStmt(fields, out) {
    const verb = transactions[String(fields.kind)]
    // Prepared transactions outlive the session and are ended from any other.
    if (verb === undefined) {
      const two = String(fields.kind).replace('TRANS_STMT_', '').replace('_', ' ')
      out.actions.push({
        verb: two === 'PREPARE' ? 'PREPARE TRANSACTION' : two,
        kind: 'admin',
        objects: named(fields.gid),
      })
      out.reaches.add('session')
      return
    }
    out.actions.push({ verb, kind: 'read' })
    readTransactionModes('SET TRANSACTION', list(fields.options), out)
  },
  VariableSetStmt: readSet,
  VariableShowStmt: plain('SHOW'),
  ConstraintsSetStmt: plain('SET CONSTRAINTS'),
  DiscardStmt(_fields, out) {
    out.actions.push({ verb: 'DISCARD', kind: 'read' })
    out.settings.push({ value: null, local: false })
  },
  CopyStmt: readCopy,
  ExplainStmt(fields, out, context) {
    out.actions.push({ verb: 'EXPLAIN', kind: 'read' })
    const analyze = options(fields.options).some(({ name, value }) => name === 'analyze' && isTrue(optionText(value)))
    if (analyze) return context.statement(fields.query, out, context)
    // Not run, but planned: functions of constants are evaluated, and an EXECUTE is resolved.
    const inner = context.fresh()
    context.statement(fields.query, inner, context)
    out.reads.push(...inner.reads, ...inner.actions.flatMap((action) => action.relations ?? []))
    out.calls.push(...inner.calls)
    for (const operator of inner.operators) out.operators.add(operator)
    out.types.push(...inner.types)
    out.executes.push(...inner.executes)
  },
  PrepareStmt(fields, out, context) {
    out.actions.push({ verb: 'PREPARE', kind: 'read' })
    out.prepares.push(text(fields.name) ?? '')
    context.statement(fields.query, out, context)
  },
  ExecuteStmt(fields, out, context) {
    out.actions.push({ verb: 'EXECUTE', kind: 'read' })
    out.executes.push(text(fields.name) ?? '')
    visitFields(fields, [], context.scope, out)
  },
  DeallocateStmt: plain('DEALLOCATE'),
  DeclareCursorStmt(fields, out, context) {
    out.actions.push({ verb: 'DECLARE CURSOR', kind: 'read' })
    context.statement(fields.query, out, context)
  },
  FetchStmt(fields, out) {
    out.actions.push({ verb: fields.ismove === true ? 'MOVE' : 'FETCH', kind: 'read' })
  },
  ClosePortalStmt: plain('CLOSE CURSOR'),
  ListenStmt: plain('LISTEN'),
  UnlistenStmt: plain('UNLISTEN'),
  NotifyStmt(fields, out) {
    out.actions.push({ verb: 'NOTIFY', kind: 'write', objects: named(fields.conditionname) })
  },
  LoadStmt(fields, out) {
    out.actions.push({ verb: 'LOAD', kind: 'admin', objects: named(fields.filename) })
    out.reaches.add('file').add('program')
  },
  CheckPointStmt(_fields, out) {
    out.actions.push({ verb: 'CHECKPOINT', kind: 'admin' })
    out.reaches.add('server')
  },
  LockStmt(fields, out) {
    // ACCESS SHARE is what every SELECT takes; anything above keeps others waiting.
    const kind = fields.mode === 1 ? 'read' : 'write'
    out.actions.push({ verb: 'LOCK TABLE', kind, relations: relations(fields.relations) })
  },
  CallStmt(fields, out, context) {
    out.actions.push({ verb: 'CALL', kind: 'read' })
    // The grammar's own node of the call; what comes of it later (funcexpr) is not in a raw tree.
    const call = isFields(fields.funccall)
      ? { FuncCall: unwrap(fields.funccall)?.fields ?? fields.funccall }
      : undefined
    visitFields({ call }, [], context.scope, out)
  },
  DoStmt: readDo,
  CreateFunctionStmt: readFunction,
  ViewStmt(fields, out, context) {
    const [view] = relation(fields.view)
    out.actions.push({ verb: 'CREATE VIEW', kind: 'ddl', relations: view === undefined ? [] : [view] })
    const body = context.fresh()
    context.statement(fields.query, body, context)
    if (view !== undefined) out.creations.push({ type: 'relation', name: view, body })
    if (view?.schema === 'pg_temp') out.temporary = true
    context.statement(fields.query, out, context)
  },
  RuleStmt(fields, out, context) {
    out.actions.push({ verb: 'CREATE RULE', kind: 'ddl', relations: relation(fields.relation) })
    const name = isFields(fields.relation) ? relationOf(fields.relation) : undefined
    const body = context.fresh()
    for (const into of [body, out]) {
      visitFields({ whereClause: fields.whereClause }, [], context.scope, into)
      for (const action of list(fields.actions)) context.statement(action, into, context)
    }
    if (name !== undefined) out.creations.push({ type: 'trigger', name, body })
  },
}

function readSet(fields: Fields, out: Reading): void {
  const local = fields.is_local === true
  const name = (text(fields.name) ?? '').toLowerCase()
  if (fields.kind === 'VAR_RESET_ALL') {
    out.actions.push({ verb: 'RESET', kind: 'read' })
    out.settings.push({ value: null, local })
    return
  }
  if (fields.kind === 'VAR_SET_MULTI') {
    const args = list(fields.args)
    const isSnapshot = name === 'transaction snapshot'
    out.actions.push({ verb: `SET ${name.toUpperCase()}`, kind: 'read' })
    if (!isSnapshot) readTransactionModes(`SET ${name.toUpperCase()}`, args, out)
    return
  }
  const isReset = fields.kind === 'VAR_RESET' || fields.kind === 'VAR_SET_DEFAULT'
  const values = list(fields.args).map((arg) => optionText(arg) ?? optionText(fieldsOf(arg, 'TypeCast')?.arg))
  const value = values.some((part) => part === undefined) ? null : values.map(quoted).join(', ')
  const isNone = name === 'role' && values[0]?.toLowerCase() === 'none'
  const known = fields.kind === 'VAR_SET_VALUE' ? (values.length === 1 ? (values[0] ?? null) : value) : null
  const effect = classifySetting(name, isReset && !isNone ? undefined : known)
  for (const reach of effect.reaches) out.reaches.add(reach)
  out.actions.push(settingAction(fields.kind === 'VAR_RESET' ? 'RESET' : 'SET', name, effect))
  // To a default, which is not known here: a login, a database and a client may all have their own.
  out.settings.push({ name, value: fields.kind === 'VAR_SET_VALUE' ? value : null, local })
}

/** search_path is the one setting whose value is read again; its parts may need their quotes. */
function quoted(part: string | undefined): string {
  const given = part ?? ''
  return /^[a-z_][a-z0-9_]*$/.test(given) ? given : `"${given.replaceAll('"', '""')}"`
}

function readTransactionModes(verb: string, modes: readonly unknown[], out: Reading): void {
  for (const { name, value } of options(modes)) {
    const effect = classifySetting(name, optionText(value) ?? null)
    if (effect.kind === 'read') continue
    for (const reach of effect.reaches) out.reaches.add(reach)
    out.actions.push(settingAction(verb, name, effect))
  }
}

function readCopy(fields: Fields, out: Reading, context: Context): void {
  const isFrom = fields.is_from === true
  const target = relation(fields.relation)
  const outside = fields.is_program === true ? 'program' : text(fields.filename) === undefined ? undefined : 'file'
  if (outside !== undefined) {
    out.reaches.add(outside)
    out.actions.push({
      verb: 'COPY',
      kind: 'admin',
      relations: target,
      ...(isFrom ? { events: ['INSERT' as const] } : {}),
    })
  } else if (isFrom) out.actions.push({ verb: 'COPY', kind: 'write', relations: target, events: ['INSERT'] })
  else out.actions.push({ verb: 'COPY', kind: 'read', relations: target })
  // What COPY TO copies out is read, whether it is a view in newer servers or a table.
  if (!isFrom) out.reads.push(...target)
  if (fields.query !== undefined) context.statement(fields.query, out, context)
  visitFields({ whereClause: fields.whereClause }, [], context.scope, out)
}

function named(value: unknown): readonly string[] {
  const name = text(value)
  return name === undefined ? [] : [name]
}
