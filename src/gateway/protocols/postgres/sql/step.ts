/** What names mean, one round deep: objects with their schema, functions, views, rules and triggers behind them. */
import { reachOfView } from './builtins.ts'
import { type Calling, runFunction } from './called.ts'
import type { CatalogAnswer, FunctionFacts, RelationFacts, TriggerEvent, ViewFacts } from './meanings.ts'
import { fieldsOf, list, type Name } from './nodes.ts'
import { display } from './objects.ts'
import { type Outcome, plainly, unknown } from './outcome.ts'
import { isError } from './parse.ts'
import { type Call, createReading, finish, type PlannedAction, type Reach, type Reading } from './reading.ts'
import { creationSchema, parseSearchPath, type SearchPath } from './search-path.ts'
import { isTemporary, type Item, shown, type World } from './world.ts'

/** One round: takes what is to be looked at, with the catalog's answer to all its names. */
export class Step {
  readonly items: Item[] = []
  readonly oids: number[] = []
  readonly #out: Outcome
  readonly #world: World
  readonly #answer: CatalogAnswer
  readonly #calling: Calling
  /** Rules and bodies that were looked at: those that lead to one another would otherwise multiply. */
  readonly #seen: Set<unknown>
  /** Where this item's names without a schema are looked for. */
  #path: SearchPath
  readonly #ownPath: SearchPath

  constructor(out: Outcome, world: World, answer: CatalogAnswer, done: Set<number>, seen: Set<unknown>) {
    this.#out = out
    this.#world = world
    this.#answer = answer
    this.#calling = { out, world, done, items: this.items, oids: this.oids }
    this.#seen = seen
    const { searchPath, pending } = world
    const isUnknown = searchPath === null || pending.opaque || pending.reshuffled || out.moved
    if (isUnknown) this.#ownPath = undefined
    else if (searchPath === undefined) this.#ownPath = answer.surroundings.searchPath
    else this.#ownPath = parseSearchPath(searchPath, answer.surroundings)
  }

  take({ reading, quiet }: Item): void {
    const out = this.#out
    out.dynamic ||= reading.dynamic
    // What sets the search path on its way looks names up by it, and so does all that it calls.
    if (setsSearchPath(reading)) out.moved = true
    this.#path = out.moved ? undefined : this.#ownPath
    for (const reach of reading.reaches) out.reaches.add(reach)
    out.settings.push(...reading.settings)
    const created = new Set(reading.creations.filter(({ type }) => type === 'relation').map(({ name }) => name))
    // The action that lists what is read shares its list; everything else says what happens to its relations.
    for (const action of reading.actions) {
      if (quiet && action.relations === reading.reads) continue
      const objects = this.#objects(action, created)
      out.add({ ...plainly(action), objects })
      for (const verb of this.#otherVerbs(action)) out.add({ ...plainly(action), verb, objects })
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

  /** `ALTER INDEX` renames a table too, and `ALTER TABLE` alters views, sequences and indexes: both names of it count. */
  #otherVerbs({ verb, relations = [] }: PlannedAction): readonly string[] {
    if (!/^ALTER (TABLE|INDEX|VIEW|MATERIALIZED VIEW|SEQUENCE|FOREIGN TABLE)$/.test(verb)) return []
    const kinds = relations.flatMap((name) => this.#relations(name)).map(({ relkind }) => alterVerbs[relkind])
    return [...new Set(kinds)].filter((other) => other !== undefined && other !== verb).map(String)
  }

  takeOid(oid: number): void {
    const found = this.#answer.functions.find((one) => one.oid === oid)
    if (found === undefined) unknown(this.#out, `function ${oid}`)
    else runFunction(found, undefined, this.#calling)
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
      this.oids.push(...relation.policyCalls)
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
    this.oids.push(...relation.policyCalls, ...(isFilled(events) ? relation.calls : []))
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
    for (const found of candidates) runFunction(found, call, this.#calling)
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
}

const alterVerbs: Readonly<Record<string, string>> = {
  r: 'ALTER TABLE',
  p: 'ALTER TABLE',
  i: 'ALTER INDEX',
  I: 'ALTER INDEX',
  v: 'ALTER VIEW',
  m: 'ALTER MATERIALIZED VIEW',
  S: 'ALTER SEQUENCE',
  f: 'ALTER FOREIGN TABLE',
}

/** Rows are written, not only taken away. */
function isFilled(events: readonly TriggerEvent[]): boolean {
  return events.includes('INSERT') || events.includes('UPDATE')
}

function setsSearchPath({ settings, calls }: Reading): boolean {
  const isMoved = settings.some(({ name }) => name === undefined || name === 'search_path')
  return isMoved || calls.some(({ name, asColumn }) => name.name === 'set_config' && !asColumn)
}
