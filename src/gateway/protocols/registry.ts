/** Every protocol there is, by its name in the contract. */
import type { Clock } from '../../base/clock.ts'
import type { ProtocolName } from '../../contract/command.ts'
import { createHttp, abilities as http } from './http/index.ts'
import { createKubernetes, abilities as kubernetes } from './kubernetes/index.ts'
import { createPostgres, abilities as postgres } from './postgres/index.ts'
import { createSsh, abilities as ssh, type TargetKeys } from './ssh/index.ts'
import type { Abilities, AnyProtocol } from './protocol.ts'

export interface ProtocolSettings {
  readonly clock: Clock
  /** config: limits.statement, in bytes. */
  readonly maxStatementBytes: number
  /** config: limits.connect, in milliseconds. */
  readonly connectTimeoutMs: number
  /** What an SSH client sees of the gateway, private; and the host keys of targets that were taken on first use. */
  readonly hostKey: string
  readonly targetKeys: TargetKeys
}

export type Protocols = Readonly<Record<ProtocolName, AnyProtocol>>

/** What each can do, for checking a configuration before anything is made from it. */
export const abilities: Readonly<Record<ProtocolName, Abilities>> = { postgres, ssh, http, kubernetes }

export function createProtocols(settings: ProtocolSettings): Protocols {
  return {
    postgres: createPostgres(settings),
    ssh: createSsh(settings),
    http: createHttp(settings),
    kubernetes: createKubernetes(settings),
  }
}
