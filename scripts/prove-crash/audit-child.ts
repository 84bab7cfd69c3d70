/** Started by audit-subject.ts: eight clients that append commands, and say `durable` when they may be forwarded. */
import { setTimeout as sleep } from 'node:timers/promises'
import { systemClock } from '../../src/base/clock.ts'
import { reasonOf } from '../../src/base/errors.ts'
import type { RecordDraft } from '../../src/contract/record.ts'
import { openAudit } from '../../src/gateway/audit/open.ts'

const [store = '', life = '', flush = 'true'] = process.argv.slice(2)
/** Writing to a pipe is synchronous: what was said stays said, whatever happens next. */
const say = (line: string): void => void process.stdout.write(`${line}\n`)

const who = { user: 'dev@demo', subject: 'dev', groups: ['engineering'], agent: null }
const where = { session: `ses_${life}`, target: 'pg-prod', connection: `con_${life}` }

function insert(operation: string): RecordDraft {
  const action = { verb: 'INSERT', kind: 'write' as const, objects: ['public.writes'], unbounded: false }
  const facts = { kind: 'write' as const, unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] }
  const text = `INSERT INTO writes VALUES ('${operation}')`
  return {
    type: 'command',
    ...who,
    ...where,
    command: operation,
    asked: {
      protocol: 'postgres',
      verb: 'INSERT',
      objects: action.objects,
      text,
      parameters: [],
      actions: [action],
      facts,
    },
    decision: { verdict: 'allow', rule: 'all', reason: 'rule all allows it', config: '' },
    approval: null,
  }
}

const log = { info() {}, warn() {}, error() {} }
const audit = await openAudit({ path: store, flush: flush === 'true', clock: systemClock, log })
await audit.append([
  { type: 'session.start', ...who, ...where, target: null, connection: null, reason: null, targets: ['pg-prod'] },
  { type: 'connection.start', ...who, ...where, detail: null },
])
say(`ready ${process.pid}`)

async function client(number: number): Promise<never> {
  for (let count = 0; ; count++) {
    const operation = `op-${life}-${number}-${count}`
    try {
      await audit.append([insert(operation)])
      say(`durable ${operation}`)
      audit.note({ type: 'outcome', ...who, ...where, command: operation, outcome: { status: 'done', rows: 1 } })
    } catch (error) {
      say(`refused ${reasonOf(error)}`)
      await sleep(20)
    }
  }
}

await Promise.all(Array.from({ length: 8 }, (_, number) => client(number)))
