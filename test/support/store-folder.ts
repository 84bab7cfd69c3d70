/** A folder for a store, gone after the test; drafts of records to put into it; a log that is kept. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'
import type { Log } from '../../src/base/log.ts'
import type { RecordFilter } from '../../src/contract/api.ts'
import type { RecordDraft, RecordOf, RecordType } from '../../src/contract/record.ts'
import type { Audit } from '../../src/gateway/audit/audit.ts'

export function storePath(): string {
  const folder = mkdtempSync(join(tmpdir(), 'hoop-store-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return join(folder, 'hoop.db')
}

type DraftOf<T extends RecordType> = RecordDraft & { readonly type: T }

const who = {
  session: 'ses_1',
  user: 'dev@demo',
  subject: 'sub-dev',
  groups: ['engineering'],
  agent: null,
  target: 'pg-prod',
  connection: 'con_1',
}

export function sessionStart(session = 'ses_1', user = 'dev@demo'): DraftOf<'session.start'> {
  const begin = { reason: 'a test', targets: ['pg-prod'] }
  return { type: 'session.start', ...who, user, session, target: null, connection: null, ...begin }
}

export function sessionEnd(session = 'ses_1'): DraftOf<'session.end'> {
  return { type: 'session.end', ...who, session, target: null, connection: null, why: 'ended by the user' }
}

export function connectionStart(connection = 'con_1'): DraftOf<'connection.start'> {
  return { type: 'connection.start', ...who, connection, detail: null }
}

type CommandChange = Partial<Pick<RecordOf<'command'>, 'session' | 'user' | 'target' | 'approval'>> & {
  readonly verdict?: 'allow' | 'deny' | 'hold'
  readonly text?: string
}

export function command(
  id: string,
  { verdict = 'allow', text = 'SELECT 1', ...change }: CommandChange = {},
): DraftOf<'command'> {
  const facts = { kind: 'read', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] } as const
  return {
    type: 'command',
    ...who,
    approval: null,
    ...change,
    command: id,
    asked: {
      protocol: 'postgres',
      verb: 'SELECT',
      objects: [],
      text,
      parameters: [],
      actions: [{ verb: 'SELECT', kind: 'read', objects: [], unbounded: false }],
      facts: { ...facts, functions: [], reaches: [] },
    },
    decision: { verdict, rule: 'test', reason: 'because', config: 'c' },
  }
}

export function outcome(id: string): DraftOf<'outcome'> {
  return { type: 'outcome', ...who, command: id, outcome: { status: 'done', rows: 1 } }
}

/** Every line that fits. */
export async function all(audit: Pick<Audit, 'read'>, filter: RecordFilter = {}): Promise<string[]> {
  const lines: string[] = []
  for await (const line of audit.read(filter)) lines.push(line)
  return lines
}

export interface KeptLog extends Log {
  readonly lines: readonly string[]
}

export function keptLog(): KeptLog {
  const lines: string[] = []
  const keep = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${message} ${JSON.stringify(fields)}`)
  }
  return { lines, info: keep('info'), warn: keep('warn'), error: keep('error') }
}
