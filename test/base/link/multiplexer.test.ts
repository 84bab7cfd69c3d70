/** Two ends of one socket, or one end and a peer by hand that may do what no end of ours does. */
import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { FrameType } from '../../../src/base/link/frames.ts'
import {
  Multiplexer,
  type MultiplexerOptions,
  StreamRefused,
  StreamUnanswered,
} from '../../../src/base/link/multiplexer.ts'
import { linkWindow } from '../../../src/base/link/sender.ts'
import { type LinkStream, streamWindow } from '../../../src/base/link/stream.ts'
import { createScope, type Scope } from '../../../src/base/scope.ts'
import { frameOf, type LinkPeer, linkPeer } from '../../support/link-peer.ts'

let scope: Scope
beforeEach(() => {
  scope = createScope()
})
afterEach(() => scope.close())

const quiet = { pingEveryMs: 60_000, pongWithinMs: 60_000 }
const wish = Buffer.from('please')

async function sockets(): Promise<[opener: Socket, acceptor: Socket]> {
  const server = createServer({ noDelay: true, allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  const opener = connect({ port: typeof address === 'object' ? (address?.port ?? 0) : 0, host: '127.0.0.1' })
  const [acceptor] = (await once(server, 'connection')) as [Socket]
  await once(opener, 'connect')
  server.close()
  for (const socket of [opener, acceptor]) scope.defer(() => void socket.on('error', () => {}).destroy())
  return [opener, acceptor]
}

const echo = (stream: Duplex) => void stream.pipe(stream)

async function pair(serve: (stream: LinkStream, link: Multiplexer) => void = echo) {
  const [near, far] = await sockets()
  const gateway: Multiplexer = new Multiplexer(far, {
    ...quiet,
    onOpen(stream) {
      gateway.accept(stream)
      serve(stream, gateway)
    },
  })
  return { link: new Multiplexer(near, quiet), gateway, near, far }
}

/** An accepting end, and its peer by hand. */
async function accepting(options: Partial<MultiplexerOptions> = {}): Promise<{ link: Multiplexer; peer: LinkPeer }> {
  const [near, far] = await sockets()
  const link: Multiplexer = new Multiplexer(far, { ...quiet, onOpen: (stream) => link.accept(stream), ...options })
  return { link, peer: linkPeer(near) }
}

/** An opening end, and its peer by hand. */
async function opening(options: Partial<MultiplexerOptions> = {}): Promise<{ link: Multiplexer; peer: LinkPeer }> {
  const [near, far] = await sockets()
  return { link: new Multiplexer(near, { ...quiet, ...options }), peer: linkPeer(far) }
}

const open = (link: Multiplexer, signal?: AbortSignal) => link.open(wish, 5000, signal)
const closed = (stream: Duplex) => new Promise<void>((resolve) => void stream.once('close', resolve))
const whole = async (stream: Duplex) => Buffer.concat(await stream.toArray()).toString()

async function opened(link: Multiplexer, peer: LinkPeer): Promise<LinkStream> {
  const asked = open(link)
  const { stream } = await peer.hearUntil('open')
  peer.say('accept', stream)
  return asked
}

describe('a stream', () => {
  it('carries both directions, each to its own end', async () => {
    const { link } = await pair((stream) => {
      let heard = ''
      stream.on('data', (chunk) => {
        heard += String(chunk)
      })
      stream.once('end', () => stream.end(`${heard}, and goodbye`))
    })
    const stream = await open(link)
    stream.write('hel')
    stream.end('lo')
    expect(await whole(stream)).toBe('hello, and goodbye')
    if (!stream.closed) await closed(stream)
    expect(stream.errored).toBeNull()
    expect(link.streams).toBe(0)
  })

  it('goes on in one direction when the other has ended', async () => {
    const { link } = await pair((stream) => {
      stream.end('all')
      stream.resume().once('end', () => far.resolve())
    })
    const far = Promise.withResolvers<void>()
    const stream = await open(link)
    expect(await whole(stream)).toBe('all')
    expect(stream.destroyed).toBe(false)
    stream.end('more')
    await far.promise
  })

  it('that is destroyed here breaks there, with the reason', async () => {
    const broken = Promise.withResolvers<Error>()
    const { link } = await pair((stream) => void stream.once('error', broken.resolve).resume())
    const stream = await open(link)
    stream.write('half of')
    stream.destroy(new Error('the cat was on the keyboard'))
    expect((await broken.promise).message).toBe('the cat was on the keyboard')
  })

  it('that breaks does not end', async () => {
    const { link, far } = await pair((stream) => void stream.write('half of'))
    const stream = await open(link)
    await once(stream, 'data')
    let ended = false
    stream.once('end', () => {
      ended = true
    })
    far.destroy()
    await closed(stream)
    expect(stream.errored?.message).toBe('connection closed by the other side')
    expect(ended).toBe(false)
    expect(link.streams).toBe(0)
  })

  it('breaks also when its socket ends in good order', async () => {
    const { link, peer } = await opening()
    const stream = await opened(link, peer)
    peer.socket.end()
    await closed(stream)
    expect(stream.errored?.message).toBe('connection closed by the other side')
  })

  it('that is refused says with what', async () => {
    const [near, far] = await sockets()
    const gateway: Multiplexer = new Multiplexer(far, {
      ...quiet,
      onOpen: (stream) => gateway.refuse(stream, 403, '{"no":"ü"}'),
    })
    const error = await open(new Multiplexer(near, quiet)).catch((thrown: unknown) => thrown)
    expect(error).toBeInstanceOf(StreamRefused)
    expect(error).toMatchObject({ status: 403, body: '{"no":"ü"}' })
    expect(gateway.streams).toBe(0)
  })

  it('that is not answered in time is given up, and the peer hears of it', async () => {
    const { link, peer } = await opening()
    await expect(link.open(wish, 20)).rejects.toBeInstanceOf(StreamUnanswered)
    expect((await peer.hearUntil('reset')).stream).toBe(1)
    // The answer that comes too late is no violation.
    peer.say('accept', 1)
    peer.say('end', 1)
    expect(await echoOver(link, peer)).toBe('hi')
  })

  it('that is given up while it is asked for is never accepted', async () => {
    const [near, far] = await sockets()
    const asked = Promise.withResolvers<LinkStream>()
    const gateway = new Multiplexer(far, { ...quiet, onOpen: (stream) => asked.resolve(stream) })
    const stop = new AbortController()
    const opening = open(new Multiplexer(near, quiet), stop.signal)
    const stream = await asked.promise
    stop.abort()
    await expect(opening).rejects.toThrow('gave up')
    await closed(stream)
    gateway.accept(stream)
    expect(gateway.streams).toBe(0)
  })

  it('tells the writer of what did not leave any more', async () => {
    const { link, peer } = await opening()
    const stream = await opened(link, peer)
    stream.write(Buffer.alloc(streamWindow))
    const written = new Promise((resolve) => void stream.write('more', resolve))
    await peer.hearUntil('data')
    stream.destroy()
    expect(await written).toBeInstanceOf(Error)
  })
})

describe('deaf', () => {
  it('lets what was said be read to its end, and takes what is still written', async () => {
    const { link, peer } = await opening()
    const stream = await opened(link, peer)
    for (let n = 0; n < 10; n++) peer.say('data', 1, 'x'.repeat(60_000))
    peer.say('end', 1)
    peer.say('deaf', 1)
    await new Promise((resolve) => setTimeout(resolve, 50))
    for (let n = 0; n < 100; n++) stream.write(Buffer.alloc(60_000))
    expect((await whole(stream)).length).toBe(600_000)
    if (!stream.closed) await closed(stream)
    expect(stream.errored).toBeNull()
    expect(link.streams).toBe(0)
  })

  it('is what ends a stream on which all was said, when its peer does not end', async () => {
    const { link, peer } = await accepting({
      onOpen(stream) {
        link.accept(stream)
        stream.end('all')
        stream.once('finish', () => stream.takeNoMore())
      },
    })
    peer.say('open', 1, 'x')
    expect((await peer.hearUntil('data')).payload.toString()).toBe('all')
    expect((await peer.hear())?.type).toBe('end')
    expect((await peer.hear())?.type).toBe('deaf')
    expect(link.streams).toBe(0)
    peer.say('data', 1, 'still here')
    peer.say('end', 1)
    peer.say('ping', 0)
    expect((await peer.hear())?.type).toBe('pong')
  })
})

describe('windows', () => {
  it('stop a writer whose reader does not read, and nobody else', async () => {
    const { link } = await pair((stream) => {
      stream.once('data', (first) => {
        if (String(first) === 'stall') stream.pause()
        else echo(stream)
      })
    })
    const stalled = await open(link)
    stalled.write('stall')
    let sent = 0
    const chunk = Buffer.alloc(65_536)
    while (stalled.write(chunk) || (await drainedWithin(stalled, 200))) sent += chunk.length
    expect(sent).toBeGreaterThanOrEqual(streamWindow / 2)
    expect(sent).toBeLessThan(2 * streamWindow)
    const other = await open(link)
    other.write('go')
    other.end(Buffer.alloc(3 * streamWindow))
    expect((await whole(other)).length).toBe(3 * streamWindow)
  })

  it('open again when the reader goes on', async () => {
    const resumed = Promise.withResolvers<LinkStream>()
    const { link } = await pair((stream) => resumed.resolve(stream))
    const stream = await open(link)
    stream.end(Buffer.alloc(5 * streamWindow, 'x'))
    await new Promise((resolve) => setTimeout(resolve, 50))
    const far = await resumed.promise
    expect((await whole(far)).length).toBe(5 * streamWindow)
  })

  it('are granted in large steps', async () => {
    const { link, peer } = await accepting({
      onOpen(stream) {
        link.accept(stream)
        stream.resume()
      },
    })
    peer.say('open', 1, 'x')
    for (let n = 0; n < 16; n++) peer.say('data', 1, Buffer.alloc(streamWindow / 16))
    peer.say('ping', 0)
    const windows: number[] = []
    for (let frame = await peer.hear(); frame?.type !== 'pong'; frame = await peer.hear())
      if (frame?.type === 'window') windows.push(frame.payload.readUInt32BE())
    expect(windows).toEqual([streamWindow / 2, streamWindow / 2])
  })

  it('of the link come back from streams that were broken off unread', async () => {
    const { link, peer } = await accepting()
    const mebibytes = linkWindow / streamWindow
    for (let id = 1; id <= 2 * mebibytes; id++) {
      peer.say('open', id, 'x')
      for (let n = 0; n < 16; n++) peer.say('data', id, Buffer.alloc(streamWindow / 16))
      peer.say('reset', id)
    }
    peer.say('ping', 0)
    await peer.hearUntil('pong')
    expect(link.streams).toBe(0)
  })
})

describe('the link is cut, and says why, for', () => {
  const full = Buffer.alloc(65_536)
  it.each<[string, string, [FrameType, number, (Buffer | string)?][]]>([
    ['more than a stream may send', 'stream 1 got more than its window', [...data(1, streamWindow), ['data', 1, 'x']]],
    ['data before it was accepted', 'which is not open', [['data', 2, 'x']]],
    ['an end of a stream that never was', 'which is not open', [['end', 9]]],
    ['a reset of a stream that never was', 'which is not open', [['reset', 9]]],
    ['data after the end', 'data after its end', [['end', 1], ['data', 1, 'x']]], // biome-ignore format: one row
    ['a second end', 'ended twice', [['end', 1], ['end', 1]]], // biome-ignore format: one row
    ['an old number', 'was opened after', [['open', 1, 'x']]],
    ['an answer to nothing', 'which is not open', [['accept', 1]]],
    ['a window for more than there is', 'granted more', [['window', 1, Buffer.from([0, 0, 0, 1])]]],
    ['a window for the link for more than there is', 'granted more', [['window', 0, Buffer.from([0, 0, 0, 1])]]],
  ])('%s', async (_, message, frames) => {
    const { link, peer } = await accepting({ onOpen: (stream) => stream.id === 1 && link.accept(stream) })
    peer.say('open', 1, 'x')
    peer.say('open', 2, 'not answered')
    await peer.hearUntil('accept')
    for (const [type, stream, payload] of frames) peer.say(type, stream, payload)
    expect(await link.over).toEqual({ reason: expect.stringContaining(message), violation: true })
    expect(link.streams).toBe(0)
  })

  it('more than all streams together may send', async () => {
    const { link, peer } = await accepting()
    for (let id = 1; id <= linkWindow / streamWindow + 1; id++) {
      peer.say('open', id, 'x')
      for (let n = 0; n < 16; n++) peer.say('data', id, full)
    }
    expect(await link.over).toMatchObject({ violation: true, reason: 'more data than the window of the link' })
  })

  it('a stream that the accepting end opens', async () => {
    const { link, peer } = await opening()
    peer.say('open', 1, 'x')
    expect(await link.over).toMatchObject({ violation: true })
    await expect(open(link)).rejects.toThrow('accepts no streams')
  })

  it('an answer to a question that is still to come', async () => {
    const { link, peer } = await opening()
    peer.say('accept', 5)
    expect(await link.over).toMatchObject({ violation: true })
  })
})

describe('the link', () => {
  it('leaves with one write what all streams say in one turn', async () => {
    const { link, near, far } = await pair()
    const all = await Promise.all(Array.from({ length: 50 }, () => open(link)))
    let writes = 0
    const { write } = near
    near.write = ((chunk: Buffer) => {
      writes += 1
      return write.call(near, chunk)
    }) as Socket['write']
    const answers = all.map((stream) => once(stream, 'data'))
    for (const stream of all) stream.write('hello')
    await Promise.all(answers)
    expect(writes).toBe(1)
    expect(far.destroyed).toBe(false)
  })

  it('gives a small answer its turn between the frames of a large one', async () => {
    const { link, peer } = await opening()
    const large = await opened(link, peer)
    const small = await opened(link, peer)
    large.write(Buffer.alloc(900_000))
    small.write('small')
    let before = 0
    for (let frame = await peer.hear(); frame?.stream !== small.id; frame = await peer.hear())
      before += frame?.payload.length ?? 0
    expect(before).toBeLessThanOrEqual(65_536)
  })

  it('is lost when its peer says nothing at all, and its streams break', async () => {
    const { link, peer } = await opening({ pingEveryMs: 20, pongWithinMs: 50 })
    const stream = await opened(link, peer)
    const broken = closed(stream)
    expect(await link.lost).toBe('no answer for 0.05 s')
    await broken
    expect(stream.errored?.message).toBe('no answer for 0.05 s')
  })

  it('stays as long as anything comes, also when pongs are late', async () => {
    const { link, peer } = await opening({ pingEveryMs: 20, pongWithinMs: 60 })
    const stream = await opened(link, peer)
    stream.resume()
    const talk = setInterval(() => peer.say('data', 1, 'x'), 10)
    scope.defer(() => clearInterval(talk))
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(stream.destroyed).toBe(false)
  })

  it('that leaves lets open streams finish, takes no new ones, and closes after the last', async () => {
    const { link, gateway } = await pair()
    const stream = await open(link)
    gateway.leave('going home')
    expect(await link.lost).toBe('going home')
    await expect(open(link)).rejects.toThrow('takes no new streams')
    stream.end('still here')
    expect(await whole(stream)).toBe('still here')
    await Promise.all([link.over, gateway.over])
  })

  it('that leaves tells whoever had not heard of it to ask elsewhere', async () => {
    const { link, peer } = await accepting()
    peer.say('open', 1, 'x')
    await peer.hearUntil('accept')
    link.leave('going home')
    peer.say('open', 2, 'x')
    expect((await peer.hearUntil('reset')).stream).toBe(2)
  })

  it('reads no more from a peer that causes answers and does not take them', async () => {
    const { link, peer } = await accepting({
      onOpen: (stream) => link.refuse(stream, 401, JSON.stringify({ error: 'x'.repeat(1000) })),
    })
    peer.socket.pause()
    const payload = Buffer.alloc(1000)
    let said = 0
    for (let id = 1; said < 64 * 1024 * 1024; id++) {
      said += payload.length
      if (!peer.socket.write(frameOf('open', id, payload)) && !(await drainedWithin(peer.socket, 300))) break
    }
    expect(said).toBeLessThan(64 * 1024 * 1024)
  })
})

function data(stream: number, bytes: number): [FrameType, number, Buffer][] {
  return Array.from({ length: bytes / 65_536 }, () => ['data', stream, Buffer.alloc(65_536)])
}

/** A stream of this link, answered by hand. */
async function echoOver(link: Multiplexer, peer: LinkPeer): Promise<string> {
  const stream = await opened(link, peer)
  peer.say('data', stream.id, 'hi')
  peer.say('end', stream.id)
  stream.end()
  return whole(stream)
}

/** False when nothing moves: the one wait for which there is no event. */
function drainedWithin(stream: Duplex, ms: number): Promise<boolean> {
  return new Promise((resolve) => {
    const late = setTimeout(() => resolve(false), ms)
    stream.once('drain', () => {
      clearTimeout(late)
      resolve(true)
    })
  })
}
