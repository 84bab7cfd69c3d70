/**
 * PostgreSQL's own parser, compiled to WebAssembly. Loaded once; loaded anew after a text broke it (a stack overflow on
 * thousands of nested brackets leaves its memory in an unknown state).
 */
import loadParser, { type ParserModule } from 'libpg-query/wasm/libpg-query.js'
import type { Tree } from './statement.ts'
import { type Fields, isFields, list } from './nodes.ts'

interface ParsedStatement {
  readonly tree: Tree
  /** Exactly the statement's part of the text, without the semicolon. */
  readonly text: string
}

export interface Parser {
  /** Resolves when it can parse: at once, but after a text broke it. */
  ready(): Promise<void>
  /** The statements of a text, or why PostgreSQL's grammar does not accept it. */
  statements(sql: string): readonly ParsedStatement[] | { readonly error: string }
  /** PL/pgSQL functions of a CREATE FUNCTION or DO text. */
  functions(sql: string): readonly Fields[] | { readonly error: string }
  /** Tokens with their byte offsets. */
  tokens(sql: string): readonly Token[] | { readonly error: string }
}

export interface Token {
  readonly start: number
  readonly end: number
  readonly text: string
  readonly name: string
}

export async function createParser(): Promise<Parser> {
  let wasm = await loadParser()
  let reloading: Promise<void> | undefined

  /** Runs one call of the parser on a C string. What it throws means that its memory cannot be trusted any more. */
  function call<R>(sql: string, run: (wasm: ParserModule, pointer: number) => R): R | { readonly error: string } {
    // A C string ends at NUL: the rest would go unseen. PostgreSQL's protocol cannot carry one inside a text either.
    if (sql.includes('\0')) return { error: 'the text holds a NUL' }
    if (reloading !== undefined) return { error: 'the parser is being loaded anew' }
    try {
      const length = wasm.lengthBytesUTF8(sql) + 1
      const pointer = wasm._malloc(length)
      if (pointer === 0) throw new Error('out of memory')
      wasm.stringToUTF8(sql, pointer, length)
      const result = run(wasm, pointer)
      wasm._free(pointer)
      return result
    } catch {
      reloading = loadParser().then((fresh) => {
        wasm = fresh
        reloading = undefined
      })
      return { error: 'too deeply nested, or too large for the parser' }
    }
  }

  const json = (sql: string, run: (wasm: ParserModule, pointer: number) => number): Fields | { error: string } =>
    call(sql, (wasm, pointer) => {
      const result = run(wasm, pointer)
      const answer = wasm.UTF8ToString(result)
      wasm._wasm_free_string(result)
      const parsed: unknown = answer.startsWith('{') ? JSON.parse(answer) : undefined
      return isFields(parsed) ? parsed : { error: answer }
    })

  return {
    async ready() {
      await reloading
    },
    statements(sql) {
      const tree = call(sql, parseTree)
      if (isError(tree)) return tree
      const bytes = Buffer.from(sql)
      return list(tree.stmts).flatMap((raw) => {
        if (!isFields(raw) || !isFields(raw.stmt)) return []
        const start = typeof raw.stmt_location === 'number' ? raw.stmt_location : 0
        const length = typeof raw.stmt_len === 'number' && raw.stmt_len > 0 ? raw.stmt_len : bytes.length - start
        // The parser made it: its shape is what the type says.
        return [{ tree: raw.stmt as Tree, text: bytes.toString('utf8', start, start + length).trim() }]
      })
    },
    functions(sql) {
      const answer = json(sql, (wasm, pointer) => wasm._wasm_parse_plpgsql(pointer))
      if (isError(answer)) return answer
      return list(answer.plpgsql_funcs).filter(isFields)
    },
    tokens(sql) {
      const answer = json(sql, (wasm, pointer) => wasm._wasm_scan(pointer))
      if (isError(answer)) return answer
      return list(answer.tokens)
        .filter(isFields)
        .map((token) => ({
          start: Number(token.start),
          end: Number(token.end),
          text: String(token.text),
          name: String(token.tokenName),
        }))
    },
  }
}

export function isError<T extends object>(
  answer: T | { readonly error: string },
): answer is { readonly error: string } {
  return 'error' in answer && typeof answer.error === 'string'
}

/** Field offsets of libpg_query's PgQueryParseResult { char *parse_tree; char *stderr; PgQueryError *error }. */
function parseTree(wasm: ParserModule, pointer: number): Fields | { readonly error: string } {
  const result = wasm._wasm_parse_query_raw(pointer)
  if (result === 0) throw new Error('out of memory')
  const tree = wasm.getValue(result, 'i32')
  const error = wasm.getValue(result + 8, 'i32')
  const answer =
    error === 0 ? wasm.UTF8ToString(tree) : { error: wasm.UTF8ToString(wasm.getValue(error, 'i32')) || 'syntax error' }
  wasm._wasm_free_parse_result(result)
  if (typeof answer !== 'string') return answer
  const parsed: unknown = JSON.parse(answer)
  return isFields(parsed) ? parsed : { error: 'the parser gave no tree' }
}
