/** One function that is called: by its class if it is PostgreSQL's own or cannot be read, otherwise by its body. */
import type { Action } from '../../../../contract/command.ts'
import { readFunctionBody, readSqlText } from './bodies.ts'
import { classifyBuiltin, classifyForeign, readsByValue, sqlArgument } from './builtins.ts'
import type { FunctionFacts } from './meanings.ts'
import { fieldsOf, options } from './nodes.ts'
import { type Outcome, plainly, unknown } from './outcome.ts'
import { isError } from './parse.ts'
import { type Call, finish, type Reach } from './reading.ts'
import { classifySetting, settingAction } from './settings.ts'
import { type Item, shown, type World } from './world.ts'

export interface Calling {
  readonly out: Outcome
  readonly world: World
  /** Functions that were looked at already. */
  readonly done: Set<number>
  /** Where what is found goes, to be looked at next. */
  readonly items: Item[]
  readonly oids: number[]
}

export function runFunction(found: FunctionFacts, call: Call | undefined, calling: Calling): void {
  const out = calling.out
  const name = shown(found)
  out.functions.add(name)
  if (call === undefined) {
    if (calling.done.has(found.oid)) return
    if (found.builtIn) calling.done.add(found.oid)
  }
  if (runsText(found, call, name, calling)) return
  if (found.builtIn) {
    if (found.name === 'set_config') {
      setConfig(call, name, calling)
      return
    }
    if (readsByValue(found.name)) {
      readsByValueOf(call, name, calling)
      return
    }
    classified(calling, name, classifyBuiltin(found.name, found.volatility))
    return
  }
  // Aggregates are never called in planning, whatever they are declared.
  if (found.volatility !== 'volatile' && found.parts.length === 0) out.planned = true
  if (calling.done.has(found.oid)) return
  calling.done.add(found.oid)
  calling.oids.push(...found.parts)
  // An aggregate is what its parts are.
  if (found.parts.length > 0) return
  if (found.definition === null) {
    classified(calling, name, classifyForeign(found.name, found.extension, found.volatility))
    return
  }
  const { context } = calling.world
  const statements = context.parser.statements(found.definition)
  const definition = isError(statements) ? undefined : fieldsOf(statements[0]?.tree, 'CreateFunctionStmt')
  if (definition === undefined) {
    unknown(out, name)
    return
  }
  const reading = context.fresh()
  // A function may have a search_path of its own: ALTER or CREATE FUNCTION … SET.
  if (options(definition.options).some((option) => option.name === 'set')) out.moved = true
  readFunctionBody(definition, reading, context, [name])
  calling.items.push({ reading: finish(reading), quiet: false })
}

function classified(
  calling: Calling,
  name: string,
  { kind, reaches }: { readonly kind: Action['kind']; readonly reaches: readonly Reach[] },
): void {
  for (const reach of reaches) calling.out.reaches.add(reach)
  if (kind !== 'read') calling.out.add({ verb: 'CALL', kind, objects: [name], unbounded: false })
}

/** Functions that run SQL given to them as text. */
function runsText(found: FunctionFacts, call: Call | undefined, name: string, calling: Calling): boolean {
  const position = found.builtIn || found.extension !== null ? sqlArgument(found.name) : undefined
  if (position === undefined) return false
  const literal = position === null ? undefined : call?.literals[position]
  if (literal === undefined) {
    unknown(calling.out, name)
    return true
  }
  const { context } = calling.world
  const reading = context.fresh()
  readSqlText(literal, reading, context, [name])
  calling.items.push({ reading: finish(reading), quiet: false })
  return true
}

function setConfig(call: Call | undefined, name: string, calling: Calling): void {
  const [setting, value] = call?.literals ?? []
  if (setting === undefined) {
    calling.out.settings.push({ value: null, local: false })
    unknown(calling.out, name)
    return
  }
  const effect = classifySetting(setting, value ?? null)
  calling.out.settings.push({ name: setting.toLowerCase(), value: value ?? null, local: false })
  for (const reach of effect.reaches) calling.out.reaches.add(reach)
  if (effect.kind !== 'read') calling.out.add({ ...plainly(settingAction('SET', setting, effect)) })
}

function readsByValueOf(call: Call | undefined, name: string, calling: Calling): void {
  const [table] = call?.literals ?? []
  if (table === undefined || !/^table_/.test(call?.name.name ?? '')) {
    unknown(calling.out, name)
    return
  }
  const { context } = calling.world
  const statements = context.parser.statements(`TABLE ${table}`)
  if (isError(statements) || statements.length !== 1) {
    unknown(calling.out, name)
    return
  }
  const reading = context.fresh()
  context.statement(statements[0]?.tree, reading, context)
  calling.items.push({ reading, quiet: false })
}
