/** The gateway's numbers for Prometheus, at `/metrics`. */
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { Metrics } from '../metrics.ts'

export interface ServerMetrics extends Metrics {
  /** A link was opened, or refused with this code. */
  link(over: 'upgrade' | 'websocket', answer: string): void
  answered(status: number): void
  /** Bytes that went over the gateway's port, both ways, all transports. */
  moved(received: number, sent: number): void
  text(): Promise<string>
  readonly contentType: string
}

export function createMetrics(): ServerMetrics {
  const registry = new Registry()
  const registers = [registry]
  collectDefaultMetrics({ register: registry })
  const commands = new Counter({
    name: 'hoop_commands_total',
    help: 'Commands judged, by protocol and verdict',
    labelNames: ['protocol', 'verdict'],
    registers,
  })
  const flushes = new Histogram({
    name: 'hoop_audit_flush_seconds',
    help: 'From handing records to the audit until they are durable',
    buckets: [0.0005, 0.001, 0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5],
    registers,
  })
  const records = new Counter({ name: 'hoop_audit_records_total', help: 'Records made durable', registers })
  const links = new Counter({
    name: 'hoop_links_total',
    help: 'Links asked for, by transport and answer (`open`, or the code of the refusal)',
    labelNames: ['over', 'answer'],
    registers,
  })
  const answers = new Counter({
    name: 'hoop_http_answers_total',
    help: 'Answers of the API, by status',
    labelNames: ['status'],
    registers,
  })
  const bytes = new Counter({
    name: 'hoop_port_bytes_total',
    help: 'Bytes over the port, all transports, counted when a socket closes and when asked',
    labelNames: ['direction'],
    registers,
  })
  return {
    judged: (protocol, verdict) => commands.inc({ protocol, verdict }),
    flushed(milliseconds, count) {
      flushes.observe(milliseconds / 1000)
      records.inc(count)
    },
    watch(name, help, read) {
      new Gauge({
        name,
        help,
        registers,
        collect() {
          this.set(read())
        },
      })
    },
    link: (over, answer) => links.inc({ over, answer }),
    answered: (status) => answers.inc({ status: String(status) }),
    moved(received, sent) {
      bytes.inc({ direction: 'received' }, received)
      bytes.inc({ direction: 'sent' }, sent)
    },
    text: () => registry.metrics(),
    contentType: registry.contentType,
  }
}
