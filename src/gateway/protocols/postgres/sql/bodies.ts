/** Bodies of functions and DO blocks: SQL and PL/pgSQL are read by PostgreSQL's own grammars, other languages cannot be. */
import type { Context } from './context.ts'
import { type Fields, fieldsOf, isFields, list, literalOf, nameOf, options, stringOf, text, unwrap } from './nodes.ts'
import { display } from './objects.ts'
import { isError } from './parse.ts'
import { type Reading, readDynamic } from './reading.ts'
import { type Scope, visitFields } from './walk.ts'

export function readDo(fields: Fields, out: Reading, context: Context): void {
  out.actions.push({ verb: 'DO', kind: 'read' })
  const given = options(fields.args)
  const language = (stringOf(given.findLast(({ name }) => name === 'language')?.value) ?? 'plpgsql').toLowerCase()
  const source = stringOf(given.findLast(({ name }) => name === 'as')?.value)
  if (language === 'plpgsql' && source !== undefined) readPlpgsql(`DO ${dollarQuoted(source)}`, out, context)
  else readForeign(language, [], out)
}

/** CREATE FUNCTION and CREATE PROCEDURE: the definition, and in it what will run when it is called. */
export function readFunction(fields: Fields, out: Reading, context: Context): void {
  const name = nameOf(fields.funcname)
  const verb = fields.is_procedure === true ? 'CREATE PROCEDURE' : 'CREATE FUNCTION'
  const objects = name === undefined ? [] : [display(name)]
  out.actions.push({ verb, kind: 'ddl', objects })
  const body = context.fresh()
  readFunctionBody(fields, body, context, objects)
  const volatility =
    stringOf(options(fields.options).findLast(({ name }) => name === 'volatility')?.value) ?? 'volatile'
  if (name !== undefined)
    out.creations.push({ type: 'function', name, body, planned: volatility.toLowerCase() !== 'volatile' })
  readFunctionBody(fields, out, context, objects)
}

/** What a function does when it is called, out of its CREATE FUNCTION. */
export function readFunctionBody(fields: Fields, out: Reading, context: Context, objects: readonly string[]): void {
  const given = options(fields.options)
  // Without LANGUAGE only the SQL-standard body is left.
  const language = (stringOf(given.findLast(({ name }) => name === 'language')?.value) ?? 'sql').toLowerCase()
  const source = stringOf(list(given.findLast(({ name }) => name === 'as')?.value)[0])
  const variables = new Set([...context.scope.variables, ...parameterNames(fields)])
  const scope: Scope = { hidden: context.scope.hidden, variables }
  const inner: Context = { ...context, scope }
  visitFields({ parameters: fields.parameters }, [], scope, out)
  if (fields.sql_body !== undefined) readSqlBody(fields.sql_body, out, inner)
  else if (language === 'sql' && source !== undefined) readSqlText(source, out, inner, objects)
  else if (language === 'plpgsql' && source !== undefined) readPlpgsql(plpgsqlText(fields, source), out, inner, objects)
  else readForeign(language, objects, out)
}

/** SQL text that runs as it stands. */
export function readSqlText(sql: string, out: Reading, context: Context, objects: readonly string[] = []): void {
  const statements = context.parser.statements(sql)
  if (isError(statements)) {
    readDynamic(out, objects)
    return
  }
  for (const { tree } of statements) context.statement(tree, out, context)
}

function readSqlBody(body: unknown, out: Reading, context: Context): void {
  const returned = fieldsOf(body, 'ReturnStmt')
  if (returned !== undefined) {
    visitFields(returned, [], context.scope, out)
    return
  }
  for (const part of list(body))
    for (const statement of unwrap(part)?.type === 'List' ? list(part) : [part]) {
      const inner = fieldsOf(statement, 'ReturnStmt')
      if (inner === undefined) context.statement(statement, out, context)
      else visitFields(inner, [], context.scope, out)
    }
}

/** Languages that can do anything at all, on the server's machine too if they are not trusted ones. */
function readForeign(language: string, objects: readonly string[], out: Reading): void {
  readDynamic(out, objects)
  out.reaches.add('server')
  if (!['plperl', 'pltcl', 'plv8', 'plpgsql', 'sql'].includes(language)) out.reaches.add('file').add('program')
}

function parameterNames(fields: Fields): readonly string[] {
  return list(fields.parameters).flatMap((item) => {
    const name = text(fieldsOf(item, 'FunctionParameter')?.name)
    return name === undefined ? [] : [name]
  })
}

/** A CREATE FUNCTION with the same parameters and body, without the types that the parser would want to look up. */
function plpgsqlText(fields: Fields, source: string): string {
  const returns = isFields(fields.returnType) ? nameOf(fields.returnType.names)?.name : undefined
  const special = returns === 'trigger' || returns === 'event_trigger' ? returns : undefined
  if (special !== undefined) return `CREATE FUNCTION f() RETURNS ${special} LANGUAGE plpgsql AS ${dollarQuoted(source)}`
  const outs: string[] = []
  const parameters = list(fields.parameters).map((item, at) => {
    const parameter = fieldsOf(item, 'FunctionParameter') ?? {}
    const name = quoteName(text(parameter.name) ?? `$${at + 1}`)
    const isOut = ['FUNC_PARAM_OUT', 'FUNC_PARAM_INOUT', 'FUNC_PARAM_TABLE'].includes(String(parameter.mode))
    if (isOut) outs.push(name)
    const mode =
      parameter.mode === 'FUNC_PARAM_OUT' || parameter.mode === 'FUNC_PARAM_TABLE' ? 'OUT' : isOut ? 'INOUT' : 'IN'
    return `${mode} ${text(parameter.name) === undefined ? '' : name} record`
  })
  const isSet = isFields(fields.returnType) && fields.returnType.setof === true
  const isTable = list(fields.parameters).some(
    (item) => fieldsOf(item, 'FunctionParameter')?.mode === 'FUNC_PARAM_TABLE',
  )
  if (fields.is_procedure === true)
    return `CREATE PROCEDURE f(${parameters.join(', ')}) LANGUAGE plpgsql AS ${dollarQuoted(source)}`
  const result =
    outs.length > 0
      ? isSet || isTable
        ? 'RETURNS SETOF record'
        : ''
      : `RETURNS ${isSet ? 'SETOF ' : ''}${returns === 'void' ? 'void' : 'record'}`
  return `CREATE FUNCTION f(${parameters.join(', ')}) ${result} LANGUAGE plpgsql AS ${dollarQuoted(source)}`
}

function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`
}

function dollarQuoted(source: string): string {
  let tag = 'body'
  while (source.includes(`$${tag}$`)) tag += 'x'
  return `$${tag}$${source}$${tag}$`
}

/** How an expression's text is to be read: PL/pgSQL's parse modes. */
const expression = 2
const assignments = new Set([3, 4, 5])

/** `text` is a whole DO or CREATE FUNCTION. */
function readPlpgsql(text: string, out: Reading, context: Context, objects: readonly string[] = []): void {
  const bare = text.replaceAll(/[\w.]+\s*%\s*rowtype\b/gi, 'record')
  const functions = context.parser.functions(bare)
  if (isError(functions) || functions.length !== 1) {
    readDynamic(out, objects)
    return
  }
  const variables = new Set(context.scope.variables)
  variablesIn(functions, variables)
  const inner: Context = { ...context, scope: { hidden: context.scope.hidden, variables } }
  readNode(functions, '', '', out, inner, objects)
}

function variablesIn(node: unknown, found: Set<string>): void {
  if (Array.isArray(node)) for (const item of node) variablesIn(item, found)
  if (!isFields(node)) return
  const name = text(node.refname)
  if (name !== undefined) found.add(name)
  for (const value of Object.values(node)) variablesIn(value, found)
}

function readNode(
  node: unknown,
  parent: string,
  key: string,
  out: Reading,
  context: Context,
  objects: readonly string[],
): void {
  if (Array.isArray(node)) {
    for (const item of node) readNode(item, parent, key, out, context, objects)
    return
  }
  if (!isFields(node)) return
  const found = fieldsOf(node, 'PLpgSQL_expr')
  if (found !== undefined) {
    const isDynamic =
      key === 'dynquery' || (key === 'query' && ['PLpgSQL_stmt_dynexecute', 'PLpgSQL_stmt_dynfors'].includes(parent))
    readExpression(found, isDynamic, out, context, objects)
    return
  }
  const type = unwrap(node)
  if (type !== undefined) {
    for (const [name, value] of Object.entries(type.fields)) readNode(value, type.type, name, out, context, objects)
    return
  }
  for (const [name, value] of Object.entries(node)) readNode(value, parent, name, out, context, objects)
}

function readExpression(
  fields: Fields,
  isDynamic: boolean,
  out: Reading,
  context: Context,
  objects: readonly string[],
): void {
  const query = text(fields.query) ?? ''
  const mode = typeof fields.parseMode === 'number' ? fields.parseMode : 0
  if (isDynamic) {
    const literal = constantQuery(query, context)
    if (literal !== undefined) {
      readSqlText(literal, out, context, objects)
      return
    }
    readDynamic(out, objects)
  }
  if (assignments.has(mode)) {
    readAssignment(query, out, context, objects)
    return
  }
  const statements = context.parser.statements(mode === expression ? `SELECT ${query}` : query)
  if (isError(statements) || statements.length !== 1) {
    readDynamic(out, objects)
    return
  }
  for (const { tree } of statements)
    if (mode === expression) visitFields({ tree }, [], context.scope, out)
    else context.statement(tree, out, context)
}

/** The text that `EXECUTE 'text'` runs, if it is a constant. */
function constantQuery(query: string, context: Context): string | undefined {
  const statements = context.parser.statements(`SELECT ${query}`)
  if (isError(statements) || statements.length !== 1) return undefined
  const [only] = statements
  const select = fieldsOf(only?.tree, 'SelectStmt')
  if (select === undefined || Object.keys(select).some((key) => !['targetList', 'limitOption', 'op'].includes(key)))
    return undefined
  const targets = list(select.targetList)
  return targets.length === 1 ? literalOf(fieldsOf(targets[0], 'ResTarget')?.val) : undefined
}

/** `target := value`: both sides may call functions. */
function readAssignment(query: string, out: Reading, context: Context, objects: readonly string[]): void {
  const tokens = context.parser.tokens(query)
  if (isError(tokens)) {
    readDynamic(out, objects)
    return
  }
  let depth = 0
  const sign = tokens.find(({ text }) => {
    if (text === '[' || text === '(') depth += 1
    if (text === ']' || text === ')') depth -= 1
    return depth === 0 && (text === ':=' || text === '=')
  })
  if (sign === undefined) {
    readDynamic(out, objects)
    return
  }
  const bytes = Buffer.from(query)
  for (const part of [bytes.toString('utf8', 0, sign.start), bytes.toString('utf8', sign.end)]) {
    const statements = context.parser.statements(`SELECT ${part}`)
    if (isError(statements) || statements.length !== 1) {
      readDynamic(out, objects)
      return
    }
    visitFields({ statements: statements.map(({ tree }) => tree) }, [], context.scope, out)
  }
}
