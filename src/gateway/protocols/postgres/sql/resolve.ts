/**
 * What a statement does once its names are looked up: objects with their schema, and what is behind the names, as deep as
 * it goes: function bodies, operators, views, rules, triggers. What cannot be found out has the worst class.
 */
import { type Action, type Facts, kinds } from '../../../../contract/command.ts'
import { readFunctionBody, readSqlText } from './bodies.ts'
import { classifyBuiltin, classifyForeign, readsByValue, reachOfView, sqlArgument } from './builtins.ts'
import type { Catalog } from './catalog.ts'
import type { Context } from './context.ts'
import type { CatalogAnswer, CatalogNames, FunctionFacts, RelationFacts, ViewFacts } from './meanings.ts'
import { fieldsOf, list, type Name } from './nodes.ts'
import { display } from './objects.ts'
import { isError } from './parse.ts'
import type { Pending } from './pending.ts'
import {
  type Call,
  createReading,
  finish,
  type PlannedAction,
  type Reach,
  type Reading,
  type SettingChange,
} from './reading.ts'
import { creationSchema, parseSearchPath, type SearchPath } from './search-path.ts'
import { classifySetting, settingAction } from './settings.ts'

export interface World {
  readonly catalog: Catalog
  readonly pending: Pending
  readonly context: Context
  readonly serverVersion: number
  /** search_path as this session has set it; null: to what cannot be known; undefined: never. */
  readonly searchPath: string | null | undefined
  /** What a prepared statement does; undefined when there is none of that name, or when it cannot be known. */
  prepared(name: string): readonly Reading[] | undefined
}

export interface Resolved {
  readonly actions: readonly [Action, ...Action[]]
  readonly facts: Facts
  /** Planning runs something that does more than read (parts.ts: Statement.eager). */
  readonly eager: boolean
  /** Settings that something behind the names changes (set_config). */
  readonly settings: readonly SettingChange[]
}

/** More rounds or actions than anything honest needs: the rest is not looked at, and so is anything. */
const mostRounds = 24
const mostActions = 400

interface Item {
  readonly reading: Reading
  /** Part of a view: what it reads is the view's business, what else it does is not. */
  readonly quiet: boolean
}

export async function resolve(reading: Reading, world: World): Promise<Resolved> {
  const out = createOutcome()
  let items: Item[] = [{ reading, quiet: false }]
  let oids: number[] = []
  const done = new Set<number>()
  const seen = new Set<unknown>()
  try {
    for (let round = 0; items.length > 0 || oids.length > 0; round += 1) {
      if (round === mostRounds || out.actions.length > mostActions) {
        unknown(out, 'too much to look at')
        break
      }
      const names = namesOf(items, oids, world)
      const answer = isNothing(names) ? nothing : await world.catalog.lookup(names)
      const next = new Step(out, world, answer, done, seen)
      for (const item of items) next.take(item)
      for (const oid of oids) next.takeOid(oid)
      items = next.items
      oids = [...new Set(next.oids)].filter((oid) => !done.has(oid))
    }
  } catch {
    // Fail closed: the target's catalog could not be asked, so nothing is known of what the names mean.
    for (const { reading } of items) for (const action of reading.actions) out.add(plainly(action))
    unknown(out, 'what it calls')
  }
  return out.resolved()
}

function isNothing(names: CatalogNames): boolean {
  return Object.values(names).every((list) => list.length === 0)
}

const nothing: CatalogAnswer = {
  relations: [],
  functions: [],
  operators: new Map(),
  types: new Map(),
  surroundings: { searchPath: [], schemas: new Set(), user: '', casts: [] },
}

function namesOf(items: readonly Item[], functionOids: readonly number[], world: World): CatalogNames {
  const relations: string[] = []
  const functions: string[] = []
  const operators: string[] = []
  const types: string[] = []
  for (const { reading } of items) {
    for (const { name } of reading.reads) relations.push(name)
    for (const action of reading.actions) for (const { name } of action.relations ?? []) relations.push(name)
    for (const call of reading.calls) {
      if (call.before !== undefined && world.serverVersion >= call.before) continue
      functions.push(call.name.name)
      if (!call.asColumn) types.push(call.name.name)
    }
    operators.push(...reading.operators)
    for (const { name } of reading.types) types.push(name)
  }
  const oids = [...functionOids, ...items.flatMap(({ reading }) => reading.functionOids)]
  return { relations, functions, functionOids: oids, operators, types }
}

class Step {
  readonly items: Item[] = []
  readonly oids: number[] = []
  readonly #out: Outcome
  readonly #world: World
  readonly #answer: CatalogAnswer
  readonly #done: Set<number>
  /** Rules and bodies that were looked at: those that lead to one another would otherwise multiply. */
  readonly #seen: Set<unknown>
  readonly #path: SearchPath

  constructor(out: Outcome, world: World, answer: CatalogAnswer, done: Set<number>, seen: Set<unknown>) {
    this.#out = out
    this.#world = world
    this.#answer = answer
    this.#done = done
    this.#seen = seen
    const { searchPath, pending } = world
    const isUnknown = searchPath === null || pending.opaque || pending.reshuffled
    if (isUnknown) this.#path = undefined
    else if (searchPath === undefined) this.#path = answer.surroundings.searchPath
    else this.#path = parseSearchPath(searchPath, answer.surroundings)
  }

  take({ reading, quiet }: Item): void {
    const out = this.#out
    out.dynamic ||= reading.dynamic
    for (const reach of reading.reaches) out.reaches.add(reach)
    out.settings.push(...reading.settings)
    const created = new Set(reading.creations.filter(({ type }) => type === 'relation').map(({ name }) => name))
    // The action that lists what is read shares its list; everything else says what happens to its relations.
    for (const action of reading.actions) {
      if (quiet && action.relations === reading.reads) continue
      out.add({ ...plainly(action), objects: this.#objects(action, created) })
    }
    for (const name of reading.reads) this.#read(name)
    for (const call of reading.calls) this.#call(call)
    for (const name of reading.operators) this.#operator(name)
    for (const oid of reading.functionOids) this.takeOid(oid)
    for (const { name } of reading.types) this.oids.push(...(this.#answer.types.get(name) ?? []))
    for (const name of reading.executes) this.#execute(name)
    this.#casts(reading)
  }

  /** Casts that users made, where one may be meant: by its type's name, or by none at all. */
  #casts(reading: Reading): void {
    const assigns = reading.actions.some(({ kind, verb }) => kind !== 'read' || !/^(SELECT|EXPLAIN)$/.test(verb))
    for (const { functionOid, target, context } of this.#answer.surroundings.casts) {
      const isNamed =
        reading.types.some(({ name }) => name === target) || reading.calls.some(({ name }) => name.name === target)
      if (isNamed || context === 'implicit' || (context === 'assignment' && assigns)) this.oids.push(functionOid)
    }
  }

  takeOid(oid: number): void {
    const found = this.#answer.functions.find((one) => one.oid === oid)
    if (found === undefined) unknown(this.#out, `function ${oid}`)
    else this.#run(found, undefined)
  }

  #objects(action: PlannedAction, created: ReadonlySet<Name>): readonly string[] {
    const objects = [...(action.objects ?? [])]
    for (const name of action.relations ?? []) {
      const isNew = created.has(name)
      const found = isNew ? [] : this.#relations(name)
      // What this transaction has made comes before what others can see, or beside it: nobody but the target knows.
      const made = isNew ? [name] : this.#world.pending.find('relation', name).map((one) => one.name)
      if (found.length === 0 && made.length === 0) objects.push(display(name))
      objects.push(...made.map((one) => display(this.#asNew(one))), ...found.map(shown))
      if (action.events === undefined) continue
      for (const relation of found) this.#changed(relation, action)
      for (const { body } of this.#world.pending.find('trigger', name)) this.#pendingBody(body, display(name))
      for (const { body } of this.#world.pending.find('relation', name))
        if (body !== undefined && this.#isNew(body)) this.items.push({ reading: body, quiet: true })
    }
    return objects
  }

  #asNew(name: Name): Name {
    return name.schema === undefined ? { schema: creationSchema(this.#path), name: name.name } : name
  }

  /** Relations that a name may mean: one where the search path is known, otherwise every one of that name. */
  #relations({ schema, name }: Name): readonly RelationFacts[] {
    const named = this.#answer.relations.filter((relation) => relation.name === name)
    if (schema === 'pg_temp') return named.filter(isTemporary)
    if (schema !== undefined) return named.filter((relation) => relation.schema === schema)
    const temporary = this.#world.pending.temporary ? named.filter(isTemporary) : []
    const path = this.#path
    if (path === undefined) return [...temporary, ...named.filter((relation) => !isTemporary(relation))]
    const at = path.find((one) => named.some((relation) => relation.schema === one))
    return [...temporary, ...named.filter((relation) => relation.schema === at)]
  }

  #read(name: Name): void {
    for (const relation of this.#relations(name)) {
      if (relation.builtIn) for (const reach of reachOfView(relation.name)) this.#outside(shown(relation), reach)
      if (relation.wrapper !== null) this.#foreign(relation, relation.wrapper)
      if (relation.view !== null) this.#view(relation.view)
    }
    for (const { body } of this.#world.pending.find('relation', name))
      if (body !== undefined && this.#isNew(body)) this.items.push({ reading: body, quiet: true })
  }

  #view({ functionOids, wrappers, builtIns }: ViewFacts): void {
    this.oids.push(...functionOids)
    for (const name of builtIns) for (const reach of reachOfView(name)) this.#outside(`pg_catalog.${name}`, reach)
    if (wrappers.includes('file_fdw')) this.#outside('a file behind a view', 'file')
    if (wrappers.length > 0) this.#out.reaches.add('network')
  }

  #foreign(relation: RelationFacts, wrapper: string): void {
    if (wrapper === 'file_fdw') this.#outside(shown(relation), 'file')
    else this.#out.reaches.add('network')
  }

  #outside(object: string, reach: Reach): void {
    this.#out.reaches.add(reach)
    this.#out.add({ verb: 'SELECT', kind: 'admin', objects: [object], unbounded: false })
  }

  /** Rows of a relation change: its rules and triggers run; a view passes the change on to what it shows. */
  #changed(relation: RelationFacts, action: PlannedAction): void {
    const events = action.events ?? []
    for (const rule of relation.rules) this.#rule(rule)
    for (const trigger of relation.triggers)
      if (trigger.events.some((event) => events.includes(event))) this.oids.push(trigger.functionOid)
    if (relation.wrapper !== null) this.#foreign(relation, relation.wrapper)
    if (relation.view === null || relation.relkind !== 'v') return
    const passedOn = createReading()
    const relations = relation.view.shows
    passedOn.actions.push({ ...action, objects: [], relations })
    if (relations.length > 0) this.items.push({ reading: passedOn, quiet: false })
  }

  #isNew(what: unknown): boolean {
    if (this.#seen.has(what)) return false
    this.#seen.add(what)
    return true
  }

  /** CREATE RULE out of the catalog. */
  #rule(sql: string): void {
    if (!this.#isNew(sql)) return
    const { context } = this.#world
    const reading = context.fresh()
    const statements = context.parser.statements(sql)
    if (isError(statements)) {
      unknown(this.#out, 'a definition')
      return
    }
    for (const { tree } of statements) {
      const rule = fieldsOf(tree, 'RuleStmt')
      if (rule === undefined) context.statement(tree, reading, context)
      else for (const action of list(rule.actions)) context.statement(action, reading, context)
    }
    this.items.push({ reading: finish(reading), quiet: false })
  }

  #call(call: Call): void {
    if (call.before !== undefined && this.#world.serverVersion >= call.before) return
    const candidates = this.#functions(call)
    const made = this.#world.pending.find('function', call.name)
    for (const { body, planned } of made) {
      this.#pendingBody(body, display(call.name))
      this.#out.planned ||= planned ?? true
    }
    for (const found of candidates) this.#run(found, call)
    if (call.asColumn) return
    const isPlain = call.name.schema !== 'pg_catalog'
    if (this.#world.pending.opaque && isPlain) {
      unknown(this.#out, display(call.name))
      return
    }
    if (candidates.length > 0 || made.length > 0) return
    const type = this.#answer.types.get(call.name.name)
    if (type !== undefined) this.oids.push(...type)
    else unknown(this.#out, display(call.name))
  }

  /** All that a name may mean. Which of them it is depends on its arguments' types, so all of them count. */
  #functions({ name: { schema, name }, asColumn }: Call): readonly FunctionFacts[] {
    const path = this.#path
    return this.#answer.functions.filter((found) => {
      if (found.name !== name || (asColumn && found.builtIn)) return false
      if (schema === 'pg_temp') return isTemporary(found)
      if (schema !== undefined) return found.schema === schema
      return path === undefined ? !isTemporary(found) : path.includes(found.schema) || found.schema === 'pg_catalog'
    })
  }

  #operator(name: string): void {
    if (this.#world.pending.hasOperator(name)) unknown(this.#out, `operator ${name}`)
    this.oids.push(...(this.#answer.operators.get(name) ?? []))
  }

  #execute(name: string): void {
    const readings = this.#world.prepared(name)
    if (readings === undefined) unknown(this.#out, name)
    else for (const reading of readings) this.items.push({ reading, quiet: false })
  }

  #pendingBody(body: Reading | undefined, name: string): void {
    if (body === undefined) unknown(this.#out, name)
    else this.items.push({ reading: finish(body), quiet: false })
  }

  #run(found: FunctionFacts, call: Call | undefined): void {
    const out = this.#out
    const name = shown(found)
    out.functions.add(name)
    if (call === undefined) {
      if (this.#done.has(found.oid)) return
      if (found.builtIn) this.#done.add(found.oid)
    }
    if (this.#runsText(found, call, name)) return
    if (found.builtIn) {
      if (found.name === 'set_config') {
        this.#setConfig(call, name)
        return
      }
      if (readsByValue(found.name)) {
        this.#readsByValue(call, name)
        return
      }
      this.#classified(name, classifyBuiltin(found.name, found.volatility))
      return
    }
    // Aggregates are never called in planning, whatever they are declared.
    if (found.volatility !== 'volatile' && found.parts.length === 0) out.planned = true
    if (this.#done.has(found.oid)) return
    this.#done.add(found.oid)
    this.oids.push(...found.parts)
    // An aggregate is what its parts are.
    if (found.parts.length > 0) return
    if (found.definition === null) {
      this.#classified(name, classifyForeign(found.name, found.extension, found.volatility))
      return
    }
    const { context } = this.#world
    const statements = context.parser.statements(found.definition)
    const definition = isError(statements) ? undefined : fieldsOf(statements[0]?.tree, 'CreateFunctionStmt')
    if (definition === undefined) {
      unknown(out, name)
      return
    }
    const reading = context.fresh()
    readFunctionBody(definition, reading, context, [name])
    this.items.push({ reading: finish(reading), quiet: false })
  }

  #classified(
    name: string,
    { kind, reaches }: { readonly kind: Action['kind']; readonly reaches: readonly Reach[] },
  ): void {
    for (const reach of reaches) this.#out.reaches.add(reach)
    if (kind !== 'read') this.#out.add({ verb: 'CALL', kind, objects: [name], unbounded: false })
  }

  /** Functions that run SQL given to them as text. */
  #runsText(found: FunctionFacts, call: Call | undefined, name: string): boolean {
    const position = found.builtIn || found.extension !== null ? sqlArgument(found.name) : undefined
    if (position === undefined) return false
    const literal = position === null ? undefined : call?.literals[position]
    if (literal === undefined) {
      unknown(this.#out, name)
      return true
    }
    const { context } = this.#world
    const reading = context.fresh()
    readSqlText(literal, reading, context, [name])
    this.items.push({ reading: finish(reading), quiet: false })
    return true
  }

  #setConfig(call: Call | undefined, name: string): void {
    const [setting, value] = call?.literals ?? []
    if (setting === undefined) {
      this.#out.settings.push({ value: null, local: false })
      unknown(this.#out, name)
      return
    }
    const effect = classifySetting(setting, value ?? null)
    this.#out.settings.push({ name: setting.toLowerCase(), value: value ?? null, local: false })
    for (const reach of effect.reaches) this.#out.reaches.add(reach)
    if (effect.kind !== 'read') this.#out.add({ ...plainly(settingAction('SET', setting, effect)) })
  }

  #readsByValue(call: Call | undefined, name: string): void {
    const [table] = call?.literals ?? []
    if (table === undefined || !/^table_/.test(call?.name.name ?? '')) {
      unknown(this.#out, name)
      return
    }
    const { context } = this.#world
    const statements = context.parser.statements(`TABLE ${table}`)
    if (isError(statements) || statements.length !== 1) {
      unknown(this.#out, name)
      return
    }
    const reading = context.fresh()
    context.statement(statements[0]?.tree, reading, context)
    this.items.push({ reading, quiet: false })
  }
}

function unknown(out: Outcome, what: string): void {
  out.dynamic = true
  out.add({ verb: 'CALL', kind: 'admin', objects: [what], unbounded: false })
}

function plainly(action: PlannedAction): Action {
  const objects = [...(action.objects ?? []), ...(action.relations ?? []).map(display)]
  return { verb: action.verb, kind: action.kind, objects, unbounded: action.unbounded ?? false }
}

function isTemporary({ schema }: { readonly schema: string }): boolean {
  return /^pg_temp(_|$)/.test(schema)
}

function shown(found: RelationFacts | FunctionFacts): string {
  return `${isTemporary(found) ? 'pg_temp' : found.schema}.${found.name}`
}

interface Outcome {
  readonly actions: Action[]
  readonly functions: Set<string>
  readonly reaches: Set<Reach>
  readonly settings: SettingChange[]
  dynamic: boolean
  /** The planner may call one of the functions: it is declared immutable or stable. */
  planned: boolean
  add(action: Omit<Action, 'objects'> & { readonly objects: readonly string[] }): void
  resolved(): Resolved
}

function createOutcome(): Outcome {
  const actions: Action[] = []
  const seen = new Set<string>()
  const outcome: Outcome = {
    actions,
    functions: new Set(),
    reaches: new Set(),
    settings: [],
    dynamic: false,
    planned: false,
    add({ verb, kind, objects, unbounded }) {
      const action = { verb, kind, objects: [...new Set(objects)], unbounded }
      const key = JSON.stringify(action)
      if (!seen.has(key)) actions.push(action)
      seen.add(key)
    },
    resolved() {
      const [first = { verb: 'UNPARSED', kind: 'admin' as const, objects: [], unbounded: false }, ...rest] = actions
      const all: [Action, ...Action[]] = [first, ...rest]
      const kind = kinds.find((kind) => all.some((action) => action.kind === kind)) ?? 'admin'
      return {
        actions: all,
        eager: outcome.planned && (kind !== 'read' || outcome.dynamic),
        facts: {
          kind,
          unbounded: all.some((action) => action.unbounded),
          dynamic: outcome.dynamic,
          parsed: true,
          functions: [...outcome.functions].toSorted(),
          reaches: [...outcome.reaches],
        },
        settings: outcome.settings,
      }
    },
  }
  return outcome
}
