/** Every protocol there is, by its name in the contract. */
import type { Clock } from '../../base/clock.ts'
import type { ProtocolName } from '../../contract/command.ts'
import { createPostgres } from './postgres/index.ts'
import type { AnyProtocol } from './protocol.ts'

export interface ProtocolSettings {
  readonly clock: Clock
  /** config: limits.statement, in bytes. */
  readonly maxStatementBytes: number
  /** config: limits.connect, in milliseconds. */
  readonly connectTimeoutMs: number
}

export type Protocols = Readonly<Record<ProtocolName, AnyProtocol>>

export function createProtocols(settings: ProtocolSettings): Protocols {
  return { postgres: createPostgres(settings) }
}
