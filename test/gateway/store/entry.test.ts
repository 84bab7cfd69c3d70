import { expect, test } from 'vitest'
import { genesis } from '../../../src/contract/chain.ts'
import { type AuditRecord, type RecordDraft, recordSchema } from '../../../src/contract/record.ts'
import { columnsOf, entryOf } from '../../../src/gateway/store/entry.ts'
import { seal } from '../../../src/gateway/store/seal.ts'
import { command, connectionStart, outcome, sessionEnd, sessionStart } from '../../support/store-folder.ts'

const at = Date.UTC(2026, 0, 2, 3, 4, 5, 6)

function written(draft: RecordDraft): AuditRecord {
  const { lines, columns } = seal([entryOf(draft, at)], { seq: 6, hash: genesis })
  const record = recordSchema.parse(JSON.parse(Buffer.from(lines).toString()))
  expect(JSON.parse(columns)).toEqual([columnsOf(record)])
  return record
}

const base = command('cmd_1', { text: 'SELECT "ä\n\u2028"' })
const drafts: readonly RecordDraft[] = [
  sessionStart(),
  sessionEnd(),
  connectionStart(),
  base,
  { ...base, asked: { ...base.asked, parameters: [{ value: '7', type: 'int4' }, { value: null }] } },
  { ...base, approval: 'apr_1', decision: { ...base.decision, verdict: 'hold' } },
  outcome('cmd_1'),
  { ...outcome('cmd_1'), outcome: { status: 'failed', error: { code: '42P01', message: 'no "x"' }, durationMs: 0.25 } },
  { ...sessionEnd(), type: 'connection.end', target: 'pg-prod', connection: 'con_1' },
  { ...connectionStart(), type: 'admin', action: 'session.kill', detail: 'killed' },
]

test.each(drafts.map((draft) => [draft.type, draft] as const))(
  'a %s is written with each of its members',
  (_, draft) => {
    expect(written(draft)).toMatchObject(draft)
    const members = Object.keys(written(draft)).filter((name) => !['v', 'seq', 'at', 'prev', 'hash'].includes(name))
    expect(members.sort()).toEqual(Object.keys(draft).sort())
  },
)

test('what a statement was understood to be is written anew when it is understood in another way', () => {
  written(base)
  const { asked } = base
  const other = { ...base, asked: { ...asked, verb: 'SELECT INTO', facts: { ...asked.facts, dynamic: true } } }
  expect(written(other)).toMatchObject(other)
  expect(written(base)).toMatchObject(base)
})

test('two connections that share their list of groups are kept apart', () => {
  const groups = ['engineering']
  for (const connection of ['con_1', 'con_2', 'con_1']) {
    const draft = { ...outcome('cmd_1'), groups, connection }
    expect(written(draft)).toMatchObject({ connection, groups })
  }
})
