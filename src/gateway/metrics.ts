/** What parts of the gateway count. What becomes of it (`/metrics`) is server/metrics.ts' business. */
import type { ProtocolName } from '../contract/command.ts'
import type { Verdict } from '../contract/record.ts'

export interface Metrics {
  /** A command was judged. */
  judged(protocol: ProtocolName, verdict: Verdict): void
  /** What was handed to the audit is durable: after how long, and how many records it was. */
  flushed(milliseconds: number, records: number): void
  /** A number that is looked up whenever somebody asks: `hoop_live_sessions`. */
  watch(name: `hoop_${string}`, help: string, read: () => number): void
}
