/** Afterwards: is everything that happened on record, is every command settled, does the chain hold? */
import { systemClock } from '../../src/base/clock.ts'
import { recordSchema } from '../../src/contract/record.ts'
import { openAudit } from '../../src/gateway/audit/open.ts'
import { operationIn } from './subject.ts'

export interface Findings {
  /** Operations that happened and are not on record. Has to be empty. */
  readonly missing: readonly string[]
  readonly records: number
  readonly unknown: number
  /** Other rules that were broken. Has to be empty. */
  readonly flaws: readonly string[]
}

/** Opens the store as a restarted gateway does, and reads all of it. */
export async function check(store: string, happened: ReadonlySet<string>): Promise<Findings> {
  const log = { info() {}, warn() {}, error() {} }
  const audit = await openAudit({ path: store, flush: true, clock: systemClock, log })
  try {
    const recorded = new Set<string>()
    const unsettled = new Set<string>()
    const open = new Set<string>()
    const flaws: string[] = []
    let unknown = 0
    let seq = 0
    for await (const line of audit.read({})) {
      const record = recordSchema.parse(JSON.parse(line))
      if (record.seq !== ++seq) flaws.push(`record ${record.seq} stands where ${seq} is due`)
      if (record.type === 'command' && record.decision.verdict !== 'deny') {
        recorded.add(operationIn(record.asked.text) ?? '')
        unsettled.add(record.command)
      }
      if (record.type === 'outcome') {
        if (!unsettled.delete(record.command))
          flaws.push(`command ${record.command} is settled twice, or was never asked`)
        if (record.outcome.status === 'unknown') unknown++
      }
      if (record.type === 'connection.start') open.add(record.connection ?? '')
      if (record.type === 'connection.end') open.delete(record.connection ?? '')
    }
    if (unsettled.size > 0) flaws.push(`${unsettled.size} commands have no outcome`)
    if (open.size > 0) flaws.push(`${open.size} connections have no end`)
    const proof = await audit.verify()
    if (!proof.ok) flaws.push(`record ${proof.seq} ${proof.flaw}`)
    const missing = [...happened].filter((operation) => !recorded.has(operation))
    return { missing, records: seq, unknown, flaws }
  } finally {
    await audit.close()
  }
}
