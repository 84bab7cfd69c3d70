import { once } from 'node:events'
import type { Socket } from 'node:net'
import { describe, expect, it } from 'vitest'
import { createRecordingCheckpoint, noMasks } from '../../../support/conversation.ts'
import { unupgradable } from '../../../../src/gateway/protocols/http/upgrades.ts'
import { permitFor } from '../../../support/permits.ts'
import { command } from '../../../support/commands.ts'
import { openRawClient, openTestDoor, startRawTarget } from './door.ts'

// No WebSocket: what passes behind the head is nobody's business here (http/websocket tests look at messages).
const upgrade = 'GET /chat HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\nX-A: 1\r\n\r\n'
const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: echo/1\r\nX-B: 2\r\n\r\n'

/** Goes on with a protocol that says everything again, and half-closes when the other side has. */
const startEcho = (greeting = '') =>
  startRawTarget((socket: Socket) => {
    socket.once('data', () => {
      socket.write(switching + greeting)
      socket.on('data', (bytes: Buffer) => socket.write(bytes))
      socket.on('end', () => socket.end('bye'))
    })
  })

describe('an upgrade', () => {
  it('is judged, then bytes pass both ways, each direction ending by itself', async () => {
    const target = await startEcho('hello')
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(`${upgrade}early`)
    const heard = await client.hears('early')
    expect(heard).toMatch(/^HTTP\/1\.1 101 Switching Protocols\r\n/)
    expect(heard).toContain('Connection: Upgrade\r\nUpgrade: echo/1\r\nX-B: 2\r\n\r\nhelloearly')
    expect(target.seen()).toMatch(/^GET \/chat HTTP\/1\.1\r\n[\s\S]*connection: upgrade\r\nupgrade: echo\/1\r\n/)
    client.say('GET /not-a-request HTTP/1.1\r\n\r\n')
    await client.hears('not-a-request')
    // Half-closed: the target still has a last word.
    client.socket.end()
    expect(await client.ended).toMatch(/bye$/)
    while (door.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(door.checkpoint.asked).toHaveLength(1)
    expect(door.checkpoint.outcomes[0]?.outcome).toMatchObject({ status: 'done', summary: '101 Switching Protocols' })
  })

  it('that is refused by a rule is a problem, and the connection goes on', async () => {
    const target = await startEcho()
    const door = await openTestDoor(
      target.port,
      createRecordingCheckpoint(() => ({ code: 'denied', message: 'no chats', next: 'write letters' })),
    )
    const client = await openRawClient(door.port)
    client.say(upgrade)
    expect(await client.hears('no chats')).toMatch(/^HTTP\/1\.1 403 /)
    expect(target.connections).toBe(0)
    client.say(upgrade)
    await client.hears(/no chats[\s\S]*no chats/)
  })

  it('that the target does not want is answered as the target answers', async () => {
    const target = await startRawTarget((socket) => {
      socket.on('data', () => socket.write('HTTP/1.1 426 Upgrade Required\r\nContent-Length: 2\r\n\r\nno'))
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(upgrade)
    expect(await client.hears('no')).toMatch(/^HTTP\/1\.1 426 /)
    client.say(upgrade)
    await client.hears(/426 [\s\S]*426 /)
  })

  it('of a protocol that could not be masked is refused where something would have to be', () => {
    const request = {
      head: { method: 'GET', target: '/', fields: [], body: 'none', upgrade: 'echo/1' },
      body: undefined,
    } as const
    const permit = permitFor('cmd_1')
    expect(unupgradable({ request, command: command(), permit })).toBeUndefined()
    const masked = { ...permit, masks: { ...noMasks, empty: false, hasDetectors: true } }
    expect(unupgradable({ request, command: command(), permit: masked })).toContain('echo/1')
  })

  it.each(['client', 'target'] as const)('ends on both sides when the %s breaks off', async (who) => {
    let atTarget: Socket | undefined
    const target = await startRawTarget((socket) => {
      atTarget = socket
      socket.once('data', () => socket.write(switching))
    })
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(upgrade)
    await client.hears('101')
    if (atTarget === undefined) throw new Error('nobody came')
    const other = who === 'client' ? atTarget : client.socket
    // Half-open, it notices only the end of what it hears.
    const over = Promise.race([once(other, 'end'), once(other, 'close')])
    if (who === 'client') client.socket.resetAndDestroy()
    else atTarget.resetAndDestroy()
    await over
    while (door.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(door.checkpoint.outcomes).toHaveLength(1)
  })

  it('is killed with its session, both ends at once', async () => {
    const target = await startEcho()
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(upgrade)
    await client.hears('101')
    door.kill({ code: 'killed', message: 'killed by ana', next: 'ask ana' })
    await client.ended
    while (door.ends.length === 0) await new Promise((resolve) => setTimeout(resolve, 5))
    expect(door.checkpoint.outcomes.map(({ outcome }) => outcome.status)).toEqual(['unknown'])
  })

  it('passes much, as fast as the slower side takes it', { timeout: 60_000 }, async () => {
    const target = await startEcho()
    const door = await openTestDoor(target.port)
    const client = await openRawClient(door.port)
    client.say(upgrade)
    await client.hears('101')
    const head = client.heard().length
    const size = 20_000_000
    client.say(Buffer.alloc(size, 'x'))
    client.socket.end()
    expect((await client.ended).length).toBe(head + size + 'bye'.length)
  })
})
