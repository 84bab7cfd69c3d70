/**
 * An audit in a process of its own, for tests that kill it or take its disk away. Each line of stdin is a batch of drafts
 * as JSON; each is answered with `durable`, or `refused` and why.
 */
import { createInterface } from 'node:readline'
import { systemClock } from '../../src/base/clock.ts'
import { reasonOf } from '../../src/base/errors.ts'
import type { RecordDraft } from '../../src/contract/record.ts'
import { openAudit } from '../../src/gateway/audit/open.ts'

const log = { info() {}, warn() {}, error() {} }
const [path = '', stallMs = '15000'] = process.argv.slice(2)
const audit = await openAudit({ path, flush: true, clock: systemClock, log, stallMs: Number(stallMs) })
console.log('ready')
for await (const line of createInterface({ input: process.stdin })) {
  try {
    await audit.append(JSON.parse(line) as RecordDraft[])
    console.log('durable')
  } catch (error) {
    console.log(`refused ${reasonOf(error)}`)
  }
}
await audit.close()
