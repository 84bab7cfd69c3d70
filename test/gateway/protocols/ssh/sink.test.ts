import { Writable } from 'node:stream'
import type { Channel } from 'ssh2'
import { expect, it } from 'vitest'
import { createSink } from '../../../../src/gateway/protocols/ssh/channels/sink.ts'

it('hands nothing more to a connection that does not take it, whatever window its peer has given', async () => {
  const taken: (() => void)[] = []
  const socket = new Writable({ write: (_chunk, _encoding, done) => void taken.push(done) })
  const stream = new Writable({
    highWaterMark: 2 ** 30,
    write(chunk, _encoding, done) {
      socket.write(chunk)
      done()
    },
  })
  // Of a channel the sink knows only what ssh2 keeps in it.
  const sink = createSink({ outgoing: { state: 'open' } } as unknown as Channel, socket, new AbortController().signal)
  const piece = Buffer.alloc(64 * 1024)
  for (let pieces = 0; pieces < 100; pieces += 1) {
    sink.write(stream, piece)
    await new Promise((resume) => setImmediate(resume))
  }
  expect(sink.write(stream, piece)).toBe(false)
  expect(socket.writableLength).toBeLessThan(2 * 1024 * 1024)

  const flushed = sink.flushed()
  for (let left = 101; left > 0; ) {
    const done = taken.shift()
    if (done === undefined) await new Promise((resume) => setImmediate(resume))
    else {
      done()
      left -= 1
    }
  }
  await flushed
})
