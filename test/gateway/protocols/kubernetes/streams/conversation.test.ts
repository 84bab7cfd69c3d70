/** The relay between two ends that say what no kubectl says, or say it at the worst moment. */
import { randomBytes } from 'node:crypto'
import { type Duplex, duplexPair } from 'node:stream'
import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../../../src/base/clock.ts'
import type { Command } from '../../../../../src/contract/command.ts'
import type { Refusal } from '../../../../../src/contract/refusal.ts'
import type { Fields } from '../../../../../src/gateway/protocols/http/index.ts'
import type { StreamsAsked } from '../../../../../src/gateway/protocols/kubernetes/streams/asked.ts'
import { relayStreams } from '../../../../../src/gateway/protocols/kubernetes/streams/relay.ts'
import {
  createSpdyReader,
  createSpdyWriter,
  type SpdyFrame,
} from '../../../../../src/gateway/protocols/kubernetes/streams/spdy/frames.ts'
import {
  createMaskKeys,
  createWebSocketReader,
  createWebSocketWriter,
} from '../../../../../src/gateway/protocols/wire/websocket.ts'
import { createRecordingCheckpoint } from '../../../../support/conversation.ts'
import { plainShell } from '../../../../support/plain-shell.ts'
import { createMemoryRecordings } from '../../../../support/recordings.ts'

const refusal: Refusal = { code: 'denied', message: 'no', next: 'ask' }
const exec = { kind: 'exec', argv: ['cat'], tty: false, stdin: true, title: 'exec cat' } as const
const v5: Fields = [['Sec-WebSocket-Protocol', 'v5.channel.k8s.io']]
const v4: Fields = [['Sec-WebSocket-Protocol', 'v4.channel.k8s.io']]
const spdy: Fields = [['X-Stream-Protocol-Version', 'v4.channel.k8s.io']]
const forwarding: Fields = [['X-Stream-Protocol-Version', 'portforward.k8s.io']]

function begin(asked: StreamsAsked, fields: Fields, checkpoint = createRecordingCheckpoint()) {
  const [client, clientEnd] = duplexPair()
  const [upstream, upstreamEnd] = duplexPair()
  const recordings = createMemoryRecordings()
  const killer = new AbortController()
  const verb = `create pods/${asked.kind}`
  const action = { verb, kind: 'admin' as const, objects: ['prod/api'], unbounded: false }
  const command: Command = {
    protocol: 'kubernetes',
    verb,
    objects: ['prod/api'],
    text: 'opened',
    parameters: [],
    actions: [action],
    facts: { kind: 'admin', unbounded: false, dynamic: false, parsed: true, functions: [], reaches: [] },
    fields: [{ at: 'namespace', value: 'prod' }],
  }
  const upgrade = fields === spdy || fields === forwarding ? 'spdy/3.1' : 'websocket'
  const head = { method: 'GET', target: '/', fields: [], body: 'none', upgrade } as const
  const over = (async () => {
    const clearance = await checkpoint.clear([command])
    const permit = 'permits' in clearance ? clearance.permits[0] : undefined
    if (permit === undefined) throw new Error('no permit')
    const cleared = { request: { head, body: undefined }, command, permit }
    const conversation = { checkpoint, recordings, signal: killer.signal }
    const answer = { status: 101, fields }
    const parts = { shell: plainShell, clock: systemClock }
    await relayStreams({ cleared, answer, client, upstream, conversation }, asked, parts)
  })()
  over.catch(() => undefined)
  return { client: ear(clientEnd), upstream: ear(upstreamEnd), checkpoint, recordings, over, killer }
}

/** Hears what comes, and says what it is told to. */
function ear(end: Duplex) {
  let heard: Buffer = Buffer.alloc(0)
  let isOver = false
  let stir = () => {}
  end.on('data', (chunk: Buffer) => {
    heard = Buffer.concat([heard, chunk])
    stir()
  })
  for (const event of ['end', 'close', 'error'])
    end.on(event, () => {
      isOver = true
      stir()
    })
  return {
    end,
    say: (...frames: readonly (readonly Buffer[])[]) => void end.write(Buffer.concat(frames.flat())),
    get heard() {
      return heard
    },
    async until(isSo: (heard: Buffer) => boolean) {
      while (!isSo(heard)) {
        if (isOver) throw new Error(`it ended behind ${JSON.stringify(heard.toString('latin1'))}`)
        await new Promise<void>((resolve) => (stir = resolve))
      }
    },
    async over() {
      while (!isOver) await new Promise<void>((resolve) => (stir = resolve))
      return heard
    },
  }
}

const asClient = createWebSocketWriter(createMaskKeys(randomBytes))
const asServer = createWebSocketWriter()
const message = (writer: typeof asClient, channel: number, text: string) =>
  writer.message('binary', Buffer.of(channel), Buffer.from(text))

/** `1:text` of each message, `ping`, `close 1000`. */
function messages(bytes: Buffer, from: 'client' | 'server'): string[] {
  const told: string[] = []
  for (const part of createWebSocketReader({ from }).read(bytes))
    if (part.kind === 'data') told.push(`${part.bytes[0]}:${part.bytes.subarray(1)}`)
    else told.push(part.kind === 'close' ? `close ${part.code}` : `${part.kind} ${part.bytes}`)
  return told
}

describe('a remote command over channel.k8s.io', () => {
  it('passes on what an end says before it closes, and the close', async () => {
    const { client, upstream, over, checkpoint } = begin(exec, v5)
    upstream.say(message(asServer, 1, ''), message(asServer, 1, 'out'), message(asServer, 2, 'err'))
    client.say(
      message(asClient, 0, 'in'),
      asClient.message('binary', Buffer.of(255, 0)),
      asClient.control('ping', Buffer.from('p')),
    )
    await upstream.until((heard) => messages(heard, 'client').length === 3)
    expect(messages(upstream.heard, 'client')).toEqual(['0:in', '255:\0', 'ping p'])
    upstream.say(
      asServer.control('pong', Buffer.from('p')),
      message(asServer, 3, '{"status":"Success"}'),
      asServer.close(1000),
    )
    upstream.end.end()
    expect(messages(await client.over(), 'server')).toEqual([
      '1:',
      '1:out',
      '2:err',
      'pong p',
      '3:{"status":"Success"}',
      'close 1000',
    ])
    client.end.end()
    await over
    expect(checkpoint.outcomes).toMatchObject([{ outcome: { status: 'done', bytesIn: 2, bytesOut: 6 } }])
  })

  it.each<[string, Fields, readonly Buffer[]]>([
    ['speaks for the program', v5, message(asClient, 1, 'x')],
    ['speaks on a channel that is not known', v5, message(asClient, 5, 'x')],
    ['ends a channel, which v4 does not know', v4, asClient.message('binary', Buffer.of(255, 0))],
    ['ends no channel', v5, asClient.message('binary', Buffer.of(255))],
    ['says a text', v5, asClient.message('text', Buffer.from('0x'))],
    ['masks nothing', v5, message(asServer, 0, 'x')],
    ['gives its terminal a size that is none', v5, message(asClient, 4, '{"Width":-1,"Height":2}')],
  ])('ends where a client %s, with nothing of it passed on', async (_what, fields, said) => {
    const { client, upstream, over, checkpoint } = begin(exec, fields)
    client.say(said)
    await over
    expect(upstream.heard).toHaveLength(0)
    const told = messages(await client.over(), 'server')
    expect(told[0]).toMatch(/^2:hoop: ended: not /)
    expect(told[1]).toContain('"reason":"NonZeroExitCode"')
    expect(told[2]).toBe('close 1000')
    expect(checkpoint.outcomes).toMatchObject([{ outcome: { status: 'failed', error: { code: 'not-understood' } } }])
  })

  it.each([
    ['on stdin', message(asServer, 0, 'x')],
    ['in a masked frame', message(asClient, 1, 'x')],
    ['on channel 9', message(asServer, 9, 'x')],
  ])('ends where the target speaks %s, and the client does not hear it', async (_what, said) => {
    const { client, upstream, over } = begin(exec, v5)
    upstream.say(said)
    await over
    expect(messages(await client.over(), 'server').some((one) => one.endsWith(':x'))).toBe(false)
    await upstream.over()
  })

  it('goes on while a line of a script is held, and passes its end behind its last line', async () => {
    const decided = Promise.withResolvers<undefined>()
    const checkpoint = createRecordingCheckpoint(async ([command], asking) => {
      if (command?.text !== 'held') return undefined
      asking?.onHold?.({ message: 'waits for ana', hint: 'look there' } as never)
      return await decided.promise
    })
    const { client, upstream, over } = begin({ ...exec, argv: ['sh'] }, v5, checkpoint)
    client.say(message(asClient, 0, 'first\nhel'), message(asClient, 0, 'd\nlast'))
    client.say(asClient.message('binary', Buffer.of(255, 0)), asClient.control('ping', Buffer.from('p')))
    await upstream.until((heard) => messages(heard, 'client').includes('ping p'))
    expect(messages(upstream.heard, 'client')).not.toContain('0:held\n')
    await client.until((heard) => heard.includes('waits for ana'))
    decided.resolve(undefined)
    await upstream.until((heard) => messages(heard, 'client').includes('255:\0'))
    expect(messages(upstream.heard, 'client')).toEqual(['0:first\n', 'ping p', '0:held\n', '0:last', '255:\0'])
    expect(checkpoint.asked.at(-1)?.fields).toEqual([{ at: 'namespace', value: 'prod' }])
    upstream.say(message(asServer, 3, '{"status":"Success"}'), asServer.close(1000))
    client.end.end()
    await over
  })

  it('cancels what is held when the client goes', async () => {
    const checkpoint = createRecordingCheckpoint(async ([command], asking) => {
      if (command?.text !== 'held') return undefined
      await new Promise<void>((resolve) => asking?.signal?.addEventListener('abort', () => resolve()))
      return { ...refusal, code: 'cancelled' }
    })
    const { client, upstream, over } = begin({ ...exec, argv: ['sh'] }, v5, checkpoint)
    client.say(message(asClient, 0, 'held\n'))
    while (!checkpoint.log.includes('clear held')) await new Promise((resolve) => setImmediate(resolve))
    client.end.end()
    upstream.end.once('end', () => upstream.end.end())
    await over
    expect(upstream.heard).toHaveLength(0)
  })

  it('slows the target down for a client that does not read', async () => {
    const { client, upstream, over, killer } = begin(exec, v5)
    client.end.pause()
    const frame = Buffer.concat(message(asServer, 1, 'x'.repeat(65_536)))
    let taken = 0
    const pump = async () => {
      while (!upstream.end.destroyed) {
        if (!upstream.end.write(frame)) await new Promise((resolve) => upstream.end.once('drain', resolve))
        taken += frame.length
      }
    }
    void pump()
    await new Promise((resolve) => setTimeout(resolve, 300))
    const early = taken
    await new Promise((resolve) => setTimeout(resolve, 300))
    expect(taken).toBe(early)
    expect(taken).toBeLessThan(4_000_000)
    killer.abort({ code: 'killed', message: 'killed', next: '' } satisfies Refusal)
    await over
  })

  it('does not go on with a protocol that was not offered', async () => {
    const { client, upstream, over, checkpoint } = begin(exec, [['Sec-WebSocket-Protocol', 'base64.channel.k8s.io']])
    await expect(over).rejects.toMatchObject({ code: 'target-refused' })
    await Promise.all([client.over(), upstream.over()])
    expect(checkpoint.outcomes).toMatchObject([{ outcome: { status: 'failed' } }])
  })
})

const open = (stream: number, headers: Record<string, string>): SpdyFrame => ({
  kind: 'open',
  stream,
  associated: 0,
  priority: 0,
  headers: Object.entries(headers),
  fin: false,
  oneWay: false,
})
const written = (...frames: readonly SpdyFrame[]) => frames.flatMap(createSpdyWriter())

/** `open 1`, `data 3 text`, `fin 3`. */
function framesIn(bytes: Buffer): string[] {
  return [...createSpdyReader().read(bytes)].flatMap((frame) => {
    if (frame.kind === 'data')
      return [
        ...(frame.bytes.length > 0 ? [`data ${frame.stream} ${frame.bytes}`] : []),
        ...(frame.fin ? [`fin ${frame.stream}`] : []),
      ]
    return [`${frame.kind} ${'stream' in frame ? frame.stream : ''}`.trim()]
  })
}

describe('a remote command over SPDY', () => {
  it.each<[string, readonly Buffer[]]>([
    ['a second stream for stdout', written(open(1, { streamtype: 'stdout' }), open(3, { streamtype: 'stdout' }))],
    ['a stream for something else', written(open(1, { streamtype: 'data' }))],
    ['a stream with a number of the target', written(open(2, { streamtype: 'stdout' }))],
    [
      'data on a stream that was never opened',
      written({ kind: 'data', stream: 7, bytes: Buffer.from('x'), fin: false }),
    ],
    [
      'data behind the end of a stream',
      written(
        open(1, { streamtype: 'stdin' }),
        { kind: 'data', stream: 1, bytes: Buffer.alloc(0), fin: true },
        { kind: 'data', stream: 1, bytes: Buffer.from('x'), fin: false },
      ),
    ],
    [
      'headers in the middle',
      written(open(1, { streamtype: 'stdin' }), { kind: 'headers', stream: 1, headers: [], fin: false }),
    ],
  ])('ends at %s', async (_what, said) => {
    const { client, over, checkpoint } = begin(exec, spdy)
    client.say(said)
    await over
    await client.over()
    expect(checkpoint.outcomes).toMatchObject([{ outcome: { status: 'failed', error: { code: 'not-understood' } } }])
  })

  it('lets go what comes late on a stream that was reset', async () => {
    const { client, upstream, over } = begin(exec, spdy)
    client.say(written(open(1, { streamtype: 'stdout' }), { kind: 'reset', stream: 1, status: 5 }))
    await upstream.until((heard) => framesIn(heard).includes('reset 1'))
    upstream.say(written({ kind: 'data', stream: 1, bytes: Buffer.from('late'), fin: false }, { kind: 'ping', id: 2 }))
    await client.until((heard) => framesIn(heard).includes('ping'))
    expect(framesIn(client.heard)).toEqual(['ping'])
    client.end.end()
    upstream.end.once('end', () => upstream.end.end())
    await over
  })
})

describe('a port-forward', () => {
  const asked = { kind: 'portforward', ports: [] } as const
  const both = [
    open(1, { streamtype: 'error', port: '5432', requestid: '0' }),
    open(3, { streamtype: 'data', port: '5432', requestid: '0' }),
  ]
  /** What the rules say of the port; the whole was allowed by `test`. */
  const judging = (verdict: 'allow' | 'hold', rule: string, no?: Refusal) =>
    createRecordingCheckpoint(
      ([command]) => (command?.text.includes('port 5432') ? no : undefined),
      (command) => ({
        verdict: command.text.includes('port') ? verdict : 'hold',
        rule: command.text.includes('port') ? rule : 'test',
        reason: '',
        config: '',
      }),
    )

  async function opened(checkpoint: ReturnType<typeof createRecordingCheckpoint>) {
    const running = begin(asked, forwarding, checkpoint)
    running.client.say(written(...both, { kind: 'ping', id: 1 }))
    await running.upstream.until((heard) => framesIn(heard).includes('ping'))
    return running
  }
  async function finish({ client, upstream, over }: ReturnType<typeof begin>) {
    upstream.end.once('end', () => upstream.end.end())
    client.end.end()
    await over
  }

  it('judges each port before the target hears of it, as a command with the port among its fields', async () => {
    const running = await opened(judging('allow', 'ports'))
    expect(framesIn(running.upstream.heard)).toEqual(['open 1', 'open 3', 'ping'])
    expect(running.checkpoint.asked).toHaveLength(2)
    expect(running.checkpoint.asked.at(-1)).toMatchObject({
      text: 'create pods/portforward prod/api port 5432',
      objects: ['prod/api'],
      fields: [
        { at: 'namespace', value: 'prod' },
        { at: 'port', value: '5432' },
      ],
    })
    await finish(running)
  })

  it('tells the client of one that is refused, and goes on', async () => {
    const running = await opened(judging('allow', 'ports', refusal))
    expect(framesIn(running.upstream.heard)).toEqual(['ping'])
    expect(framesIn(running.client.heard)).toEqual([
      'reply 1',
      'data 1 hoop: no; next: ask',
      'fin 1',
      'reply 3',
      'fin 3',
    ])
    await finish(running)
  })

  it('asks nobody twice where one rule holds the whole and its ports', async () => {
    const running = await opened(judging('hold', 'test'))
    expect(framesIn(running.upstream.heard)).toContain('open 3')
    expect(running.checkpoint.asked).toHaveLength(1)
    await finish(running)
    expect(running.checkpoint.outcomes).toMatchObject([{ outcome: { summary: 'ports 5432' } }])
  })

  it('refuses a port that another rule would hold', async () => {
    const running = await opened(judging('hold', 'ports'))
    expect(framesIn(running.upstream.heard)).toEqual(['ping'])
    expect(running.checkpoint.log).toContain('refuse create pods/portforward prod/api port 5432')
    await finish(running)
  })

  it.each<[string, readonly SpdyFrame[]]>([
    ['a port that is none', [open(1, { streamtype: 'data', port: '65536' })]],
    ['two ports', [open(1, { streamtype: 'data', port: '1\u00002' })]],
    ['a stream for something else', [open(1, { streamtype: 'stdin', port: '1' })]],
  ])('ends at %s', async (_what, frames) => {
    const { client, upstream, over } = begin(asked, forwarding)
    client.say(written(...frames))
    await over
    expect(upstream.heard).toHaveLength(0)
  })

  it('over channels reaches the ports that the request names, and no other', async () => {
    const running = begin({ kind: 'portforward', ports: [80, 443] }, v4)
    running.upstream.say(message(asServer, 0, 'P\0'), message(asServer, 1, 'P\0'))
    running.client.say(message(asClient, 2, 'hello'))
    await running.upstream.until((heard) => messages(heard, 'client').includes('2:hello'))
    await running.client.until((heard) => messages(heard, 'server').length === 2)
    expect(running.checkpoint.asked.map(({ text }) => text)).toEqual([
      'opened',
      'create pods/portforward prod/api port 80',
      'create pods/portforward prod/api port 443',
    ])
    running.client.say(message(asClient, 4, 'no'))
    await running.over
    expect(messages(running.upstream.heard, 'client')).toEqual(['2:hello'])
  })

  it('over channels does not begin where one of them is refused', async () => {
    const checkpoint = createRecordingCheckpoint(([command]) =>
      command?.text.includes('port 443') ? refusal : undefined,
    )
    const running = begin({ kind: 'portforward', ports: [80, 443] }, v4, checkpoint)
    running.client.say(message(asClient, 0, 'hello'))
    await running.over
    expect(running.upstream.heard).toHaveLength(0)
    expect(messages(await running.client.over(), 'server')).toContain('1:hoop: no; next: ask')
  })
})
