/** Every protocol there is, by its name in the contract. */
import type { Clock } from '../../base/clock.ts'
import type { ProtocolName } from '../../contract/command.ts'
import { createPostgres, abilities as postgres } from './postgres/index.ts'
import type { Abilities, AnyProtocol } from './protocol.ts'

export interface ProtocolSettings {
  readonly clock: Clock
  /** config: limits.statement, in bytes. */
  readonly maxStatementBytes: number
  /** config: limits.connect, in milliseconds. */
  readonly connectTimeoutMs: number
}

export type Protocols = Readonly<Record<ProtocolName, AnyProtocol>>

/** What each can do, for checking a configuration before anything is made from it. */
export const abilities: Readonly<Record<ProtocolName, Abilities>> = { postgres }

export function createProtocols(settings: ProtocolSettings): Protocols {
  return { postgres: createPostgres(settings) }
}
