import { randomBytes } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { inputModeOf, isOpenShell } from '../../../../../src/gateway/protocols/kubernetes/streams/asked.ts'
import {
  channelEnd,
  channelMessage,
  createChannelReader,
} from '../../../../../src/gateway/protocols/kubernetes/streams/channels.ts'
import { chosenBy, followableOffer } from '../../../../../src/gateway/protocols/kubernetes/streams/negotiation.ts'
import { ownEnd, readCommandEnd } from '../../../../../src/gateway/protocols/kubernetes/streams/status.ts'
import {
  createSizeReader,
  sizeMessage,
} from '../../../../../src/gateway/protocols/kubernetes/streams/terminal-sizes.ts'
import { createMaskKeys, createWebSocketWriter } from '../../../../../src/gateway/protocols/wire/websocket.ts'
import { cuts } from '../../../../support/chunks.ts'

describe('messages of channel.k8s.io', () => {
  const writer = createWebSocketWriter(createMaskKeys(randomBytes))
  const part = { kind: 'data', type: 'binary' } as const
  const stream = Buffer.concat(
    [
      channelMessage(writer, 0, Buffer.from('hello')),
      channelMessage(writer, 1, Buffer.alloc(0)),
      // A message in fragments, its channel alone in the first.
      writer.data({ ...part, bytes: Buffer.of(4), begins: true, ends: false }),
      writer.control('ping', Buffer.from('p')),
      writer.data({ ...part, bytes: Buffer.from('re'), begins: false, ends: false }),
      writer.data({ ...part, bytes: Buffer.from('size'), begins: false, ends: true }),
      writer.message('binary'),
      channelEnd(writer, 0),
      writer.close(1000),
    ].flat(),
  )

  it('read the same however they are cut', () => {
    for (const chunks of cuts(stream)) {
      const reader = createChannelReader('client', true)
      const others: string[] = []
      const said = new Map<number, string>()
      for (const chunk of chunks)
        for (const heard of reader.read(chunk))
          if (heard.kind === 'data') said.set(heard.channel, `${said.get(heard.channel) ?? ''}${heard.bytes}`)
          else others.push(heard.kind === 'end' ? `end ${heard.channel}` : heard.kind)
      expect([...said]).toEqual([
        [0, 'hello'],
        [1, ''],
        [4, 'resize'],
      ])
      expect(others).toEqual(['ping', 'end 0', 'close'])
    }
  })

  it('refuse or read random bytes', () => {
    for (let round = 0; round < 2000; round += 1) {
      const bytes = Buffer.from(stream)
      bytes[randomBytes(2).readUInt16BE() % bytes.length] = round & 0xff
      const reader = createChannelReader('client', round % 2 === 0)
      try {
        for (const heard of reader.read(bytes)) expect(heard.kind).toBeTypeOf('string')
      } catch (error) {
        expect(error).toMatchObject({ code: 'protocol-error' })
      }
    }
  })
})

describe('sizes of a terminal', () => {
  it('read the same however they are cut', () => {
    const sizes = [
      { columns: 80, rows: 24 },
      { columns: 0, rows: 65_535 },
    ]
    for (const chunks of cuts(Buffer.concat(sizes.map(sizeMessage)))) {
      const read = createSizeReader()
      expect(chunks.flatMap(read)).toEqual(sizes)
    }
  })

  it.each(['{"Width":1}', '{"Width":1,"Height":2,"More":3}', '[1]}', '{"Width":1.5,"Height":2}', ' '.repeat(300)])(
    'refuse %s',
    (text) => expect(() => createSizeReader()(Buffer.from(text))).toThrow(/terminal size/),
  )
})

describe('the end of a command', () => {
  const failure = (code: string) =>
    `{"status":"Failure","reason":"NonZeroExitCode","message":"m","details":{"causes":[{"reason":"ExitCode","message":"${code}"}]}}`

  it.each([
    ['{"metadata":{},"status":"Success"}', { exitStatus: 0, outcome: { status: 'done' } }],
    [failure('7'), { exitStatus: 7, outcome: { status: 'failed', error: { code: '7', message: 'exit status 7' } } }],
    [
      failure('x'),
      { exitStatus: null, outcome: { status: 'failed', error: { code: 'NonZeroExitCode', message: 'm' } } },
    ],
    ['{"status":"Failure","reason":"InternalError","message":"no such program"}', { exitStatus: null }],
  ])('of %s', (said, end) => expect(readCommandEnd(said, 'status')).toMatchObject(end))

  it.each(['', '{', '"Success"', '{"status":"Maybe"}'])('is not told by %j', (said) =>
    expect(readCommandEnd(said, 'status')).toBeUndefined(),
  )

  it('of our own is read as such', () => {
    const own = ownEnd(126, { code: 'denied', message: 'no', next: 'ask' }, 'status')
    expect(readCommandEnd(own.toString(), 'status')?.exitStatus).toBe(126)
  })
})

describe('what is offered', () => {
  const head = (upgrade: string, ...fields: readonly (readonly [string, string])[]) =>
    ({ method: 'GET', target: '/', fields, body: 'none', upgrade }) as const

  it('goes on without what cannot be followed', () => {
    const offered = head(
      'websocket',
      ['Sec-WebSocket-Protocol', 'v4.base64.channel.k8s.io, v4.channel.k8s.io'],
      ['Sec-WebSocket-Extensions', 'permessage-deflate'],
      ['X', 'y'],
    )
    expect(followableOffer(offered, 'exec')?.fields).toEqual([
      ['X', 'y'],
      ['Sec-WebSocket-Protocol', 'v4.channel.k8s.io'],
    ])
    const spdy = head(
      'spdy/3.1',
      ['X-Stream-Protocol-Version', 'v4.channel.k8s.io'],
      ['X-Stream-Protocol-Version', 'channel.k8s.io'],
    )
    expect(followableOffer(spdy, 'exec')?.fields).toEqual([['X-Stream-Protocol-Version', 'v4.channel.k8s.io']])
  })

  it.each([
    ['websocket', 'base64.channel.k8s.io', 'exec'],
    ['websocket', 'SPDY/3.1+portforward.k8s.io', 'attach'],
    ['websocket', 'v5.channel.k8s.io', 'portforward'],
    ['h2c', 'v4.channel.k8s.io', 'exec'],
  ] as const)('is refused: %s with %s for %s', (upgrade, protocol, kind) => {
    expect(followableOffer(head(upgrade, ['Sec-WebSocket-Protocol', protocol]), kind)).toBeUndefined()
  })

  it('has to be what is answered', () => {
    const answer = (name: string, value: string) =>
      chosenBy([[name, value]], name.startsWith('S') ? 'websocket' : 'spdy/3.1', 'exec')
    expect(answer('Sec-WebSocket-Protocol', 'v5.channel.k8s.io')).toEqual({ carrier: 'websocket', version: 'v5' })
    expect(answer('X-Stream-Protocol-Version', 'v2.channel.k8s.io')).toEqual({ carrier: 'spdy', error: 'text' })
    expect(answer('Sec-WebSocket-Protocol', 'v4.base64.channel.k8s.io')).toBeUndefined()
    expect(answer('X-Stream-Protocol-Version', 'channel.k8s.io')).toBeUndefined()
    expect(chosenBy([], 'websocket', 'exec')).toBeUndefined()
  })
})

describe('input', () => {
  it.each([
    ['sh'],
    ['/bin/bash -il'],
    ['bash -l'],
    ['busybox sh'],
    ['env TERM=xterm bash'],
    ['/usr/bin/env LANG=C sh'],
  ])('of %s is lines of a shell', (line) => expect(isOpenShell(line.split(' '))).toBe(true))

  it.each([
    ['sh -c ls'],
    ['sh script'],
    ['bash --rcfile x'],
    ['bash -O extglob'],
    ['env PS1=$(rm) bash'],
    ['env ENV=x sh'],
    ['env BASH_ENV=x bash'],
    ['./sh'],
    ['/tmp/bash'],
    ['fish'],
    ['psql'],
    [''],
  ])('of %s is not', (line) => expect(isOpenShell(line.split(' '))).toBe(false))

  it.each([
    [{ argv: ['sh'], tty: true, stdin: true }, 'typed'],
    [{ argv: ['sh'], tty: false, stdin: true }, 'script'],
    [{ argv: ['sh'], tty: true, stdin: false }, 'data'],
    [{ argv: ['tar', 'xf', '-'], tty: false, stdin: true }, 'data'],
    [{ argv: [], tty: true, stdin: true }, 'data'],
  ] as const)('%o: %s', (asked, mode) => expect(inputModeOf(asked)).toBe(mode))
})
