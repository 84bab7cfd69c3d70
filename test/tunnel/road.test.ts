/** Bytes on the whole road: local port → link → server → whoever runs the connection, over both transports. */
import { createHash, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { createScope, type Scope } from '../../src/base/scope.ts'
import { createLink } from '../../src/gateway-client/link.ts'
import { openTunnel } from '../../src/tunnel/agent.ts'
import { createPorts } from '../../src/tunnel/ports.ts'
import { type Door, echo, startDoor, startHttp1Front, tunnelClient } from '../support/door.ts'

let scope: Scope
beforeEach(() => {
  scope = createScope()
})
afterEach(() => scope.close())

const mebibyte = 1024 * 1024

describe.each(['upgrade', 'websocket'] as const)('over %s', (transport) => {
  /** A local port behind which `run` answers every connection. */
  async function road(run: (stream: Duplex) => Promise<void>): Promise<{ port: number; door: Door }> {
    const door = await startDoor({ run })
    scope.defer(() => door.close())
    let gateway = door.url
    if (transport === 'websocket') {
      const front = await startHttp1Front(door.port)
      scope.defer(() => front.close())
      gateway = front.url
    }
    const folder = await mkdtemp(join(tmpdir(), 'hoop-road-'))
    scope.defer(() => rm(folder, { recursive: true }))
    const said: string[] = []
    const link = createLink({ gateway, token: door.token })
    link.onEvent(({ message }) => said.push(message))
    const tunnel = await openTunnel({
      client: tunnelClient(() => door),
      link,
      targets: ['pg-prod'],
      reason: null,
      agent: null,
      ports: createPorts({ folder, gateway }),
      knownHosts: join(folder, 'known_hosts'),
      signal: new AbortController().signal,
      notify: () => {},
    })
    scope.defer(() => link.close())
    scope.defer(() => tunnel.close())
    expect(said[0]).toContain(transport === 'upgrade' ? 'over one socket' : 'over WebSockets')
    return { port: tunnel.targets[0]?.port ?? 0, door }
  }

  const dial = async (port: number): Promise<Socket> => {
    const socket = connect({ host: '127.0.0.1', port, allowHalfOpen: true, noDelay: true })
    scope.defer(() => void socket.destroy())
    await once(socket, 'connect')
    return socket
  }

  it('50 MiB come back byte for byte', async () => {
    const { port } = await road(echo)
    const socket = await dial(port)
    const sent = createHash('sha256')
    const heard = createHash('sha256')
    let bytes = 0
    socket.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      heard.update(chunk)
    })
    for (let left = 50 * mebibyte, n = 0; left > 0; n++) {
      const chunk = randomBytes(Math.min(left, [1, 1000, 65_536, 700_001][n % 4] ?? 1))
      sent.update(chunk)
      left -= chunk.length
      if (!socket.write(chunk)) await once(socket, 'drain')
    }
    socket.end()
    await once(socket, 'end')
    expect(bytes).toBe(50 * mebibyte)
    expect(heard.digest('hex')).toBe(sent.digest('hex'))
  })

  it('a client that has said all still hears the whole answer', async () => {
    const answer = randomBytes(5 * mebibyte)
    const { port } = await road(async (stream) => {
      stream.resume()
      await once(stream, 'end')
      stream.end(answer)
      await once(stream, 'finish')
    })
    const socket = await dial(port)
    socket.end('question')
    expect(Buffer.concat(await socket.toArray()).equals(answer)).toBe(true)
  })

  it('a target that has said all still hears what the client goes on to say', async () => {
    const heard = Promise.withResolvers<number>()
    const { port } = await road(async (stream) => {
      stream.end('that is all')
      let bytes = 0
      for await (const chunk of stream) bytes += (chunk as Buffer).length
      heard.resolve(bytes)
    })
    const socket = await dial(port)
    socket.resume()
    await once(socket, 'end')
    socket.end(Buffer.alloc(3 * mebibyte))
    expect(await heard.promise).toBe(3 * mebibyte)
  })

  it('a slow client gets the tail of an answer although the gateway is done', async () => {
    const { port } = await road(async (stream) => {
      stream.end(Buffer.alloc(4 * mebibyte, 'x'))
      await once(stream, 'finish')
    })
    const socket = await dial(port)
    let bytes = 0
    for await (const chunk of socket) {
      bytes += (chunk as Buffer).length
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(bytes).toBe(4 * mebibyte)
  })

  it('the tail arrives although the client keeps its own direction open and goes on talking', async () => {
    const { port } = await road(async (stream) => {
      stream.resume()
      stream.end(Buffer.alloc(2 * mebibyte, 'x'))
      await once(stream, 'finish')
    })
    const socket = await dial(port)
    const talk = setInterval(() => socket.write('are you there?'), 1)
    scope.defer(() => clearInterval(talk))
    expect(Buffer.concat(await socket.toArray()).length).toBe(2 * mebibyte)
  })

  it('a client that breaks off shows as a break at the gateway', async () => {
    const ended = Promise.withResolvers<string>()
    const begun = Promise.withResolvers<void>()
    const { port } = await road(async (stream) => {
      stream.once('data', () => begun.resolve())
      stream.once('close', () => ended.resolve(stream.readableAborted ? 'broken' : 'whole'))
      await once(stream, 'close')
    })
    const socket = await dial(port)
    socket.write('hello')
    await begun.promise
    socket.resetAndDestroy()
    expect(await ended.promise).toBe('broken')
  })

  it('a connection that the gateway breaks off shows as a break at the client', async () => {
    const { port } = await road(async (stream) => {
      stream.write('half of it')
      await once(stream, 'data')
      stream.destroy(new Error('broken'))
    })
    const socket = await dial(port)
    await once(socket, 'data')
    socket.write('go on')
    await expect(socket.toArray()).rejects.toMatchObject({ code: 'ECONNRESET' })
  })

  it('a client that does not read stops the gateway from producing', async () => {
    const produced = { bytes: 0, stuck: Promise.withResolvers<void>() }
    const { port } = await road(async (stream) => {
      const chunk = Buffer.alloc(65_536)
      const idle = setInterval(() => {}, 1000)
      stream.once('close', () => clearInterval(idle))
      while (produced.bytes < 500 * mebibyte) {
        produced.bytes += chunk.length
        if (stream.write(chunk)) continue
        const drained = await Promise.race([once(stream, 'drain').then(() => true), quiet(500)])
        if (drained !== true) break
      }
      produced.stuck.resolve()
    })
    const socket = await dial(port)
    socket.pause()
    await produced.stuck.promise
    // Socket buffers of the system, one stream's window, and what streams hold: nothing that grows with the answer.
    expect(produced.bytes).toBeLessThan(32 * mebibyte)
  })

  it('a gateway that does not read stops the client, and delays no other connection', async () => {
    let first = true
    const { port } = await road(async (stream) => {
      if (!first) return echo(stream)
      first = false
      await once(stream, 'close')
    })
    const stalled = await dial(port)
    let sent = 0
    const chunk = Buffer.alloc(65_536)
    while (sent < 500 * mebibyte) {
      sent += chunk.length
      if (stalled.write(chunk)) continue
      if ((await Promise.race([once(stalled, 'drain').then(() => true), quiet(500)])) !== true) break
    }
    expect(sent).toBeLessThan(32 * mebibyte)

    const socket = await dial(port)
    socket.end(Buffer.alloc(10 * mebibyte))
    expect(Buffer.concat(await socket.toArray()).length).toBe(10 * mebibyte)
  })

  it('an answer that nobody reads delays no other connection', async () => {
    const { port } = await road(async (stream) => {
      const [question] = (await once(stream, 'data')) as [Buffer]
      stream.end(Buffer.alloc(question.toString() === 'much' ? 40 * mebibyte : mebibyte))
      stream.resume()
      await once(stream, 'close')
    })
    const stalled = await dial(port)
    stalled.pause()
    stalled.write('much')
    for (let n = 0; n < 20; n++) {
      const socket = await dial(port)
      socket.end('some')
      expect(Buffer.concat(await socket.toArray()).length).toBe(mebibyte)
    }
    stalled.resume()
    expect(Buffer.concat(await stalled.toArray()).length).toBe(40 * mebibyte)
  })

  it('200 connections at once each get their own bytes back', async () => {
    const { port } = await road(echo)
    const one = async (n: number) => {
      const socket = await dial(port)
      const text = `${n} `.repeat(5000)
      socket.end(text)
      return Buffer.concat(await socket.toArray()).toString() === text
    }
    const same = await Promise.all(Array.from({ length: 200 }, (_, n) => one(n)))
    expect(same.every(Boolean)).toBe(true)
  })
})

/** How long nothing may happen before a writer counts as stopped; the one wait for which there is no event. */
function quiet(ms: number): Promise<'quiet'> {
  return new Promise((resolve) => setTimeout(() => resolve('quiet'), ms))
}
