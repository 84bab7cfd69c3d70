import { existsSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { once } from 'node:events'
import ssh2 from 'ssh2'
import { describe, it } from 'vitest'
import { hasSshd, startTestSshd } from '../../../support/sshd.ts'
import { type Answer, contract, type Stage, type StageClient } from '../contract.ts'
import { createTestSsh, run, targetOn } from './door.ts'

// One of the suite's targets never answers.
const ssh = createTestSsh({ connectTimeoutMs: 5000 })

if (hasSshd()) contract('ssh', () => ssh, createStage)
else describe('the contract of ssh', () => it.skip('needs OpenSSH’s server', () => undefined))

async function createStage(): Promise<Stage> {
  const sshd = await startTestSshd()
  return {
    target: targetOn(sshd),
    secret: sshd.clientKey,
    harmless: "printf '%s' 'harmless, even with é'",
    harmful: 'touch harm',
    remark: (text, remark) => `${text} # ${remark}`,
    hasHappened: async () => existsSync(join(sshd.home, 'harm')),
    hasSeen: (text) => sshd.hasSeen(text),
    askLarge: (bytes) => `head -c ${bytes} /dev/zero`,
    open: openClient,
    close: () => sshd.stop(),
  }
}

/** ssh2's own client; each question is a channel of its own. */
async function openClient(port: number): Promise<StageClient> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  const client = new ssh2.Client()
  let last: Error | undefined
  client.on('error', (error) => {
    last ??= error
  })
  const answers: Promise<Answer>[] = []
  const ended = new Promise<void>((resolve) => {
    client.once('close', () => resolve())
  })
  const gone = ended.then((): Answer => {
    if (last === undefined) throw new Error('the connection ended without an answer')
    return { ok: false, told: last.message }
  })
  gone.catch(() => undefined)
  const ready = new Promise<Answer>((resolve) => {
    client.once('ready', () => resolve({ ok: true }))
  })
  answers.push(Promise.race([ready, gone]))
  client.connect({ sock: socket, username: 'anybody' })
  return {
    ask(text) {
      const answer = ready.then(async (): Promise<Answer> => {
        const { status, stderr } = await run(client, text)
        return status === 0 ? { ok: true } : { ok: false, told: stderr }
      })
      const first = Promise.race([answer, gone])
      // Whoever stops asking does not hear of it.
      first.catch(() => undefined)
      answers.push(first)
    },
    next: () => answers.shift() ?? gone,
    // Not what the negotiated keys make of anything.
    sayNonsense: () => void socket.write(Buffer.alloc(64, 0x5a)),
    stopReading: () => void socket.pause(),
    ended,
    destroy: () => void socket.destroy(),
  }
}
