/** Many channels, much data, slow clients, and the end of it all. */
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as pause } from 'node:timers/promises'
import { text } from 'node:stream/consumers'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { memory } from '../contract.ts'
import { endOf, exec, openTestDoor, run, startOpenSsh, targetOn } from './door.ts'

describe.skipIf(!hasSshd())('an SSH connection', () => {
  let sshd: TestSshd
  beforeAll(async () => {
    sshd = await startTestSshd()
  })
  afterAll(() => sshd.stop())
  const open = (wish: Partial<Parameters<typeof openTestDoor>[0]> = {}) =>
    openTestDoor({ target: targetOn(sshd), secret: sshd.clientKey, ...wish })

  it('carries 200 commands at once', async () => {
    const world = await open()
    const client = await world.connect()
    const ended = await Promise.all(
      Array.from({ length: 200 }, (_, n) => run(client, `echo out ${n}; echo err ${n} >&2; exit $((${n} % 7))`)),
    )
    expect(ended).toEqual(
      Array.from({ length: 200 }, (_, n) => ({
        status: n % 7,
        signal: undefined,
        stdout: `out ${n}\n`,
        stderr: `err ${n}\n`,
      })),
    )
    expect(world.checkpoint.asked).toHaveLength(200)
  })

  it('keeps its memory bounded while a client stops reading during a download of 1 GB, and loses nothing of it', async () => {
    const world = await open({ forgetful: true })
    const ssh = startOpenSsh(world.door.port, ['head -c 1000000000 /dev/zero'])
    const hash = createHash('sha256')
    let bytes = 0
    let kept: number | undefined
    collectGarbage()
    const before = memory()
    for await (const chunk of ssh.stdout) {
      const piece: Buffer = chunk
      hash.update(piece)
      bytes += piece.length
      // A client that is stopped, not one that is merely slow.
      if (kept === undefined && bytes > 50_000_000) {
        ssh.kill('SIGSTOP')
        // Some time for the gateway to fill up, and for what it has let go to be swept up.
        for (let looks = 0; looks < 20; looks += 1) {
          await pause(25)
          collectGarbage()
        }
        kept = memory() - before
        ssh.kill('SIGCONT')
      }
    }
    expect(bytes).toBe(1_000_000_000)
    expect(hash.digest('hex')).toBe(zeros(1_000_000_000))
    expect(kept).toBeLessThan(32_000_000)
  }, 180_000)

  it('exchanges keys anew while data flows both ways', async () => {
    const world = await open({ parts: { rekeyBytes: 4 * 1024 * 1024 } })
    const client = await world.connect()
    let exchanges = 0
    client.on('handshake', () => {
      exchanges += 1
    })
    const channel = await exec(client, 'cat')
    const sent = createHash('sha256')
    const back = createHash('sha256')
    channel.on('data', (chunk: Buffer) => back.update(chunk))
    const closed = once(channel, 'close')
    const piece = Buffer.alloc(1024 * 1024, 'a piece of a file')
    while (exchanges < 3) {
      sent.update(piece)
      if (!channel.write(piece)) await once(channel, 'drain')
    }
    channel.eof()
    await closed
    expect(back.digest('hex')).toBe(sent.digest('hex'))
  })

  it('also when OpenSSH asks for it', async () => {
    const world = await open()
    const ssh = startOpenSsh(world.door.port, ['-o', 'RekeyLimit=1M', 'sha256sum'])
    const bytes = Buffer.alloc(30_000_000)
    ssh.stdin.end(bytes)
    expect(await text(ssh.stdout)).toContain(zeros(bytes.length))
  })

  it('ends in under a second when it is killed, and says why', async () => {
    const world = await open()
    const client = await world.connect()
    const channels = await Promise.all([exec(client, 'sleep 60'), exec(client, 'yes', { pty: true })])
    const ends = channels.map(endOf)
    while (world.checkpoint.asked.length < 2) await pause(5)
    await pause(100)
    const killed = Date.now()
    world.door.kill({ code: 'killed', message: 'killed by ana: runaway agent', next: 'ask ana' })
    for (const { status, stderr } of await Promise.all(ends)) {
      expect(status).toBe(255)
      expect(stderr).toMatch(/^hoop: killed by ana: runaway agent\r?\nhoop: next: ask ana\r?\n/)
    }
    while (world.door.ends.length === 0) await pause(5)
    expect(Date.now() - killed).toBeLessThan(1000)
    expect(world.checkpoint.outcomes.map(({ outcome }) => outcome.status)).toEqual(['unknown', 'unknown'])
  })

  it('lets go at once of a client that says nothing and ends', async () => {
    const world = await open()
    const socket = connect(world.door.port, '127.0.0.1').resume()
    await once(socket, 'connect')
    const began = Date.now()
    socket.end()
    while (world.door.ends.length === 0) await pause(5)
    expect(world.door.ends[0]).toMatchObject({ code: 'cancelled' })
    expect(Date.now() - began).toBeLessThan(2000)
  })

  it('tells its clients when the target goes away', async () => {
    const server = await startTestSshd()
    const world = await open({ target: targetOn(server), secret: server.clientKey })
    const channel = await exec(await world.connect(), 'echo begun; sleep 60')
    await once(channel, 'data')
    const end = endOf(channel)
    await server.stop()
    expect(await end).toMatchObject({ status: 255, stderr: expect.stringContaining('target "ssh-test"') })
  })
})

/** What is measured is what is kept, not what nobody has swept up yet. */
const collectGarbage = (() => {
  setFlagsFromString('--expose-gc')
  const collect: unknown = runInNewContext('gc')
  return () => {
    if (typeof collect === 'function') collect()
  }
})()

function zeros(bytes: number): string {
  const hash = createHash('sha256')
  const piece = Buffer.alloc(1_000_000)
  for (let left = bytes; left > 0; left -= piece.length) hash.update(piece.subarray(0, left))
  return hash.digest('hex')
}
