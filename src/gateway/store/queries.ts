/** Filters as SQL. Every value is a parameter; only column names of our own are ever spliced in. */
import type { Wanted } from './messages.ts'

const columns = ['type', 'session', 'target', 'user', 'verdict'] as const

type Bindings = Record<string, string | number>

/** A condition over `records AS r`, and its values. Without a filter every row fits. */
export function conditionOf(wanted: Wanted): { readonly sql: string; readonly values: Bindings } {
  const parts: string[] = []
  const values: Bindings = {}
  for (const column of columns) {
    const value = wanted[column]
    if (value === undefined) continue
    parts.push(`r.${column} = @${column}`)
    values[column] = value
  }
  if (wanted.since !== undefined) {
    parts.push('r.at >= @since')
    values.since = Date.parse(wanted.since)
  }
  if (wanted.until !== undefined) {
    parts.push('r.at < @until')
    values.until = Date.parse(wanted.until)
  }
  if (wanted.owner !== undefined) {
    parts.push('r.session IN (SELECT id FROM sessions WHERE subject = @owner)')
    values.owner = wanted.owner
  }
  return { sql: parts.length === 0 ? 'true' : parts.join(' AND '), values }
}

/** Lines after one number, up to another, oldest first. CROSS JOIN: look through the narrow table, fetch what fits. */
export function pageSql(condition: string): string {
  return `SELECT r.seq AS seq, l.line AS line FROM records r CROSS JOIN lines l ON l.seq = r.seq
    WHERE r.seq > @after AND r.seq <= @upTo AND ${condition} ORDER BY r.seq LIMIT @limit`
}

/** Numbers after one, up to another, newest first. */
export function tailSql(condition: string): string {
  return `SELECT r.seq AS seq FROM records r
    WHERE r.seq > @after AND r.seq <= @upTo AND ${condition} ORDER BY r.seq DESC LIMIT @limit`
}

/** Commands up to the saved ledger are counted in the row, those behind it now. */
export const sessionsSql = `
  WITH recent AS MATERIALIZED (
    SELECT session, count(*) AS commands FROM records
    WHERE seq > coalesce((SELECT seq FROM ledger), 0) AND type = 'command' GROUP BY session
  )
  SELECT s.id, s.user, s.subject, s.agent, s.reason, s.targets, s.started, s.ended, s.why,
    s.commands + coalesce(recent.commands, 0) AS commands
  FROM sessions s LEFT JOIN recent ON recent.session = s.id
  WHERE (@id IS NULL OR s.id = @id) AND (@user IS NULL OR s.user = @user) AND (NOT @live OR s.ended IS NULL)
  ORDER BY s.seq DESC LIMIT @limit`

/** Every line with the columns that are kept beside it, so that both can be compared. */
export const verifySql = `
  SELECT l.seq, l.line, r.at, r.type, r.session, r.target, r.user, r.connection, r.command, r.approval, r.verdict
  FROM lines l LEFT JOIN records r ON r.seq = l.seq WHERE l.seq > @after AND l.seq <= @upTo ORDER BY l.seq`
