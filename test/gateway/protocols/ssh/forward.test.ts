/** Forwards both ways, against OpenSSH's own server. */
import { once } from 'node:events'
import { connect, createServer, type Server } from 'node:net'
import { buffer } from 'node:stream/consumers'
import { setTimeout as pause } from 'node:timers/promises'
import type { ClientChannel } from 'ssh2'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { hasSshd, startTestSshd, type TestSshd } from '../../../support/sshd.ts'
import { openTestDoor, targetOn } from './door.ts'

describe.skipIf(!hasSshd())('forwards over SSH', () => {
  let sshd: TestSshd
  let echo: Server
  let port = 0
  beforeAll(async () => {
    sshd = await startTestSshd()
    // Answers when it has heard the end: what is half closed must stay open the other way.
    echo = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined)
      void buffer(socket).then((heard) => socket.end(Buffer.concat([Buffer.from('heard '), heard])))
    }).listen(0, '127.0.0.1')
    await once(echo, 'listening')
    const address = echo.address()
    port = address !== null && typeof address === 'object' ? address.port : 0
  })
  afterAll(async () => {
    echo.close()
    await sshd.stop()
  })
  const open = (forwards: readonly ('local' | 'remote')[], judge?: Parameters<typeof openTestDoor>[0]['judge']) =>
    openTestDoor({ target: targetOn(sshd, { forwards }), secret: sshd.clientKey, ...(judge && { judge }) })
  const out = (client: Awaited<ReturnType<Awaited<ReturnType<typeof open>>['connect']>>) =>
    new Promise<ClientChannel>((resolve, reject) =>
      client.forwardOut('127.0.0.1', 1, '127.0.0.1', port, (error, channel) =>
        error === undefined ? resolve(channel) : reject(error),
      ),
    )

  it('carries a connection that a rule allows, each way to its own end', async () => {
    const world = await open(['local'])
    const channel = await out(await world.connect())
    const bytes = Buffer.alloc(3_000_000, 'x')
    channel.write(bytes, () => channel.eof())
    const heard: Buffer[] = []
    channel.on('data', (chunk: Buffer) => heard.push(chunk))
    await once(channel, 'close')
    expect(Buffer.concat(heard).length).toBe(bytes.length + 6)
    while (world.checkpoint.outcomes.length === 0) await pause(5)
    expect(world.checkpoint.asked).toMatchObject([
      { verb: 'forward', objects: [`127.0.0.1:${port}`], facts: { reaches: ['network'], kind: 'admin' } },
    ])
    expect(world.checkpoint.outcomes[0]?.outcome).toMatchObject({
      status: 'done',
      bytesIn: bytes.length,
      bytesOut: bytes.length + 6,
    })
  })

  it('refuses what the target is not open for, whatever the rules say, and what a rule denies', async () => {
    const closed = await open(['remote'])
    await expect(out(await closed.connect())).rejects.toThrow(
      'hoop: this target is not open for forwards of this kind (-L, -D and -W); next: ',
    )
    expect(closed.checkpoint.log).toEqual([`refuse forward 127.0.0.1:${port}`])

    const denied = await open(['local'], () => ({ code: 'denied', message: 'no', next: 'ask' }))
    await expect(out(await denied.connect())).rejects.toMatchObject({
      message: expect.stringContaining('hoop: no; next: ask'),
      reason: 1,
    })
    expect(denied.checkpoint.log).toEqual([`clear forward 127.0.0.1:${port}`])
  })

  it('records a connection that the target cannot make as failed', async () => {
    const world = await open(['local'])
    const client = await world.connect()
    const refused = new Promise((_, reject) =>
      client.forwardOut('127.0.0.1', 1, '127.0.0.1', 1, (error) => reject(error)),
    )
    await expect(refused).rejects.toThrow('Channel open failure: hoop: the target did not connect')
    expect(world.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'failed', error: { code: 'not-connected' } })
  })

  it('listens at the target where a rule allows it, until the client takes it back', async () => {
    const world = await open(['remote'])
    const client = await world.connect()
    client.on('tcp connection', (_details, accept) => {
      const channel = accept()
      void buffer(channel).then((heard) => {
        channel.write(`heard ${heard.toString()}`)
        channel.eof()
      })
    })
    const bound = await new Promise<number>((resolve, reject) =>
      client.forwardIn('127.0.0.1', 0, (error, given) => (error == null ? resolve(given) : reject(error))),
    )
    const socket = connect({ host: '127.0.0.1', port: bound, allowHalfOpen: true })
    socket.end('from the target')
    expect((await buffer(socket)).toString()).toBe('heard from the target')
    await new Promise<void>((resolve, reject) =>
      client.unforwardIn('127.0.0.1', bound, (error) => (error == null ? resolve() : reject(error))),
    )
    while (world.checkpoint.outcomes.length === 0) await pause(5)
    expect(world.checkpoint.asked).toMatchObject([{ verb: 'reverse-forward', objects: ['127.0.0.1:0'] }])
    expect(world.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'done', bytesIn: 21, bytesOut: 15 })
  })

  it('refuses to listen at a target that is not open for it', async () => {
    const world = await open(['local'])
    const client = await world.connect()
    const bound = new Promise((resolve, reject) =>
      client.forwardIn('127.0.0.1', 0, (error) => (error == null ? resolve(undefined) : reject(error))),
    )
    await expect(bound).rejects.toThrow('Unable to bind')
    expect(world.checkpoint.log).toEqual(['refuse reverse-forward 127.0.0.1:0'])
  })
})
