/**
 * A small SQL prompt for machines without psql, so that the demo can be played with Node alone. It is an ordinary client:
 * node-postgres on the local port, nothing of hoop's in between.
 */
import { createInterface } from 'node:readline/promises'
import pg from 'pg'
import { reasonOf } from '../base/errors.ts'
import { hoopError } from '../contract/error-codes.ts'

export interface SqlPromptOptions {
  /** `postgresql://user@127.0.0.1:PORT/database`, as `hoop connect` prints it. */
  readonly url: string
  /** Run this and leave; without it, ask for statements until the input ends. */
  readonly statement?: string | undefined
  readonly stdin: NodeJS.ReadableStream
  readonly stdout: NodeJS.WritableStream
  readonly stderr: NodeJS.WritableStream
}

/** Resolves to whether the last statement succeeded. */
export async function runSqlPrompt(options: SqlPromptOptions): Promise<boolean> {
  const client = new pg.Client({ connectionString: options.url, application_name: 'hoop demo sql' })
  const say = (line: string) => options.stderr.write(`${line}\n`)
  // Says why in its own time: a statement that runs reports the same error.
  client.on('error', () => {})
  client.on('notice', (notice) => say(explain('NOTICE', notice)))
  try {
    await client.connect()
  } catch (error) {
    throw hoopError('target-unreachable', `cannot connect to ${options.url}: ${reasonOf(error)}`, {
      hint: 'is "hoop demo" (or "hoop connect") still running?',
      cause: error,
    })
  }
  const run = async (statement: string): Promise<boolean> => {
    try {
      const results = await client.query(statement)
      for (const result of Array.isArray(results) ? results : [results]) options.stdout.write(show(result))
      return true
    } catch (error) {
      say(error instanceof pg.DatabaseError ? explain(error.severity ?? 'ERROR', error) : `ERROR:  ${reasonOf(error)}`)
      return false
    }
  }
  try {
    if (options.statement !== undefined) return await run(options.statement)
    return await converse(options, run)
  } finally {
    await client.end().catch(() => {})
  }
}

async function converse(options: SqlPromptOptions, run: (statement: string) => Promise<boolean>): Promise<boolean> {
  const lines = createInterface({ input: options.stdin, output: options.stdout, prompt: 'sql> ' })
  let pending = ''
  let good = true
  lines.prompt()
  for await (const line of lines) {
    if (pending === '' && /^\s*(\\q|exit|quit)\s*;?\s*$/.test(line)) break
    pending += `${line}\n`
    if (/;\s*$/.test(pending)) {
      good = await run(pending)
      pending = ''
    }
    lines.setPrompt(pending.trim() === '' ? 'sql> ' : '  -> ')
    lines.prompt()
  }
  lines.close()
  return good
}

type Fields = { message?: string | undefined; detail?: string | undefined; hint?: string | undefined }

function explain(severity: string, { message, detail, hint }: Fields): string {
  const parts = [`${severity}:  ${message ?? ''}`]
  if (detail !== undefined) parts.push(`DETAIL:  ${detail}`)
  if (hint !== undefined) parts.push(`HINT:  ${hint}`)
  return parts.join('\n')
}

/** Rows in columns, as psql shows them; without rows, the command's own summary. */
function show(result: pg.QueryResult): string {
  if (result.fields.length === 0) return `${result.command}${result.rowCount === null ? '' : ` ${result.rowCount}`}\n`
  const head = result.fields.map((field) => field.name)
  const rows = result.rows.map((row: Record<string, unknown>) => head.map((name) => cell(row[name])))
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (cells: readonly string[]) =>
    cells.map((text, column) => ` ${text.padEnd(widths[column] ?? 0)} `).join('|')
  const rule = widths.map((width) => '-'.repeat(width + 2)).join('+')
  return [line(head), rule, ...rows.map(line), `(${rows.length} row${rows.length === 1 ? '' : 's'})`, ''].join('\n')
}

function cell(value: unknown): string {
  if (value === null || value === undefined) return ''
  if (value instanceof Date) return value.toISOString()
  return typeof value === 'object' ? JSON.stringify(value) : String(value)
}
