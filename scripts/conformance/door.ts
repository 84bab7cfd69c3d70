/** The protocol in this process, with a checkpoint that lets everything through: the wire is what is under test. */
import { Secret } from '../../src/base/secret.ts'
import { systemClock } from '../../src/base/clock.ts'
import { createPostgres } from '../../src/gateway/protocols/postgres/index.ts'
import { createOpenCheckpoint, openDoor } from '../../test/support/conversation.ts'
import type { Address } from './suites.ts'

export async function openConformanceDoor(server: Address): Promise<{ address: Address; close(): Promise<void> }> {
  const door = await openDoor({
    protocol: createPostgres({ clock: systemClock, maxStatementBytes: 16 * 1024 * 1024, connectTimeoutMs: 30_000 }),
    target: {
      name: 'conformance',
      protocol: 'postgres',
      host: server.host,
      port: server.port,
      tls: { mode: 'disable' },
      user: server.user,
      databases: [],
    },
    credential: { secret: new Secret(server.password) },
    checkpoint: createOpenCheckpoint(),
  })
  return {
    address: { ...server, port: door.port, password: '' },
    async close() {
      for (const end of door.ends) if (end !== undefined) console.log(`a connection ended with: ${String(end)}`)
      await door.close()
    },
  }
}
