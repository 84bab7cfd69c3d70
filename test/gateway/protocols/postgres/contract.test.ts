import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { systemClock } from '../../../../src/base/clock.ts'
import { startPostgres } from '../../../../src/demo/postgres.ts'
import { createPostgres } from '../../../../src/gateway/protocols/postgres/index.ts'
import { readFields } from '../../../../src/gateway/protocols/postgres/messages.ts'
import { createCutter, cstring, frame, int32 } from '../../../../src/gateway/protocols/postgres/wire.ts'
import { type Answer, contract, type Stage, type StageClient } from '../contract.ts'

const postgres = createPostgres({ clock: systemClock, maxStatementBytes: 1024 * 1024, connectTimeoutMs: 1000 })

contract('postgres', () => postgres, createStage)

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
    remark: (text, remark) => `${text} /* ${remark} */`,
    open: (port) => openClient(port, Buffer.concat([int32(body.length + 4), body])),
    askLarge: (bytes) => `SELECT repeat('x', 1000) FROM generate_series(1, ${Math.ceil(bytes / 1000)})`,
    close: () => server.stop(),
  }
}

/** An answer is complete with ReadyForQuery, or with the end of the connection after an error. */
async function openClient(port: number, greeting: Buffer): Promise<StageClient> {
  const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const cutter = createCutter({ from: 'the gateway', limit: () => 1024 * 1024 })
  const answers: Answer[] = []
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
  socket.write(greeting)
  return {
    ask: (text) => void socket.write(frame('Q', cstring(text))),
    sayNonsense: () => void socket.write(frame('!')),
    stopReading: () => void socket.pause(),
    ended: new Promise((resolve) => {
      socket.once('end', resolve)
      socket.once('close', () => resolve())
    }),
    destroy: () => void socket.destroy(),
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
