import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import { createOutlet } from '../../../../src/gateway/protocols/wire/outlet.ts'

/** Takes every write, one at a time, when it is told to. */
function slowPeer(highWaterMark: number) {
  const writes: string[] = []
  const taken: (() => void)[] = []
  const socket = new Duplex({
    highWaterMark,
    read() {},
    write(chunk: Buffer, _encoding, done) {
      writes.push(chunk.toString('latin1'))
      taken.push(done)
    },
    writev(chunks, done) {
      for (const { chunk } of chunks) writes.push((chunk as Buffer).toString('latin1'))
      taken.push(done)
    },
  })
  return {
    socket,
    writes,
    take() {
      for (const done of taken.splice(0)) done()
    },
  }
}

describe('parts of something long', () => {
  it('leave together at the end of the turn in which they arrived', async () => {
    const { socket, writes } = slowPeer(1024)
    const outlet = createOutlet(socket)
    const bytes = Buffer.from('abcdef')
    outlet.add(bytes.subarray(0, 2))
    await outlet.flushPart()
    outlet.add(bytes.subarray(2, 6))
    await outlet.flushPart()
    expect(writes).toEqual([])
    await turn()
    expect(writes).toEqual(['abcdef'])
  })

  it('leave before what is flushed after them', async () => {
    const { socket, writes, take } = slowPeer(1024)
    const outlet = createOutlet(socket)
    outlet.add(Buffer.from('a'))
    void outlet.flushPart()
    outlet.add(Buffer.from('b'))
    await outlet.flush()
    take()
    await turn()
    take()
    expect(writes.join('')).toBe('ab')
  })

  it('wait for a peer that takes nothing', async () => {
    const { socket, take } = slowPeer(4)
    const outlet = createOutlet(socket)
    outlet.add(Buffer.from('more than four'))
    await outlet.flushPart()
    await turn()
    outlet.add(Buffer.from('x'))
    let passed = false
    const part = outlet.flushPart().then(() => {
      passed = true
    })
    await turn()
    expect(passed).toBe(false)
    take()
    await turn()
    take()
    await part
    expect(passed).toBe(true)
  })
})
