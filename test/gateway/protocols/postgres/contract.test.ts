import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'
import { systemClock } from '../../../../src/base/clock.ts'
import { startPostgres } from '../../../../src/demo/postgres.ts'
import { readFields } from '../../../../src/gateway/protocols/postgres/messages.ts'
import { createCutter, cstring, frame, int32 } from '../../../../src/gateway/protocols/postgres/wire.ts'
import { createProtocols } from '../../../../src/gateway/protocols/registry.ts'
import { contract, type Listener, type Stage } from '../contract.ts'

const protocols = createProtocols({ clock: systemClock, maxStatementBytes: 1024 * 1024, connectTimeoutMs: 1000 })

contract('postgres', () => protocols.postgres, createStage)

async function createStage(): Promise<Stage> {
  const server = await startPostgres({ settings: { log_statement: 'all', fsync: 'off' } })
  const body = Buffer.concat([int32(3 << 16), ...['user', 'me', 'database', 'postgres'].map(cstring), Buffer.alloc(1)])
  return {
    target: {
      name: 'pg-contract',
      protocol: 'postgres',
      host: server.host,
      port: server.port,
      tls: { mode: 'disable' },
      user: server.user,
      databases: [],
    },
    secret: server.password,
    harmless: "SELECT 'harmless, even with é'",
    harmful: 'CREATE TABLE harm (done boolean)',
    hasHappened: async () => {
      const [row] = await server.query("SELECT to_regclass('harm') IS NOT NULL AS there")
      return row?.there === true
    },
    hasSeen: async (text) => (await readFile(server.logFile, 'utf8')).includes(`LOG:  statement: ${text}\n`),
    greeting: Buffer.concat([int32(body.length + 4), body]),
    ask: (text) => frame('Q', cstring(text)),
    unknownMessage: frame('!'),
    askLarge: (bytes) => `SELECT repeat('x', 1000) FROM generate_series(1, ${Math.ceil(bytes / 1000)})`,
    listen,
    close: () => server.stop(),
  }
}

/** An answer is complete with ReadyForQuery, or with the end of the connection after an error. */
function listen(socket: Socket): Listener {
  const cutter = createCutter({ from: 'the gateway', limit: () => 1024 * 1024 })
  const answers: ({ ok: true } | { ok: false; told: string })[] = []
  let told: string | undefined
  let ended = false
  let stir: () => void = () => undefined
  socket.on('data', (chunk: Buffer) => {
    cutter.feed(chunk)
    for (let piece = cutter.next(); piece !== undefined; piece = cutter.next()) {
      if (piece.type === 'E'.charCodeAt(0)) told = readFields(piece.bytes).get('M') ?? ''
      if (piece.type !== 'Z'.charCodeAt(0)) continue
      answers.push(told === undefined ? { ok: true } : { ok: false, told })
      told = undefined
    }
    stir()
  })
  socket.on('end', () => {
    ended = true
    if (told !== undefined) answers.push({ ok: false, told })
    socket.end()
    stir()
  })
  return {
    async next() {
      for (;;) {
        const answer = answers.shift()
        if (answer !== undefined) return answer
        if (ended) throw new Error('the connection ended without an answer')
        await new Promise<void>((resolve) => {
          stir = resolve
        })
      }
    },
  }
}
