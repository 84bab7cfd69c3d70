/** The contract's client of HTTP, and of what is spoken over it. */
import { once } from 'node:events'
import { connect } from 'node:net'
import type { Answer, StageClient } from '../contract.ts'

/** HTTP by hand: a request line and a Host; answers with Content-Length. */
export async function openRequestClient(port: number): Promise<StageClient> {
  const socket = connect({ host: '127.0.0.1', port, noDelay: true })
  socket.on('error', () => undefined)
  await once(socket, 'connect')
  let heard = ''
  /** Of the body of an answer that was counted. */
  let left = 0
  // HTTP has no greeting.
  const answers: Answer[] = [{ ok: true }]
  const waiting: ((answer: Answer | undefined) => void)[] = []
  const ended = once(socket, 'close').then(() => {
    for (const tell of waiting.splice(0)) tell(undefined)
  })
  socket.on('data', (bytes: Buffer) => {
    const skipped = Math.min(left, bytes.length)
    left -= skipped
    heard += bytes.toString('latin1', skipped)
    for (;;) {
      const end = heard.indexOf('\r\n\r\n')
      if (end < 0) return
      if (!/^HTTP\/1\.1 \d.*\r\nContent-Length: \d/is.test(heard.slice(0, end))) throw new Error(`heard ${heard}`)
      const status = Number(/^HTTP\/1\.1 (\d+)/.exec(heard)?.[1])
      const length = Number(/\r\nContent-Length: (\d+)/i.exec(heard.slice(0, end))?.[1])
      const isOk = status >= 200 && status < 300
      if (!isOk && heard.length < end + 4 + length) return
      const body = heard.slice(end + 4, end + 4 + length)
      left = length - body.length
      heard = heard.slice(end + 4 + length)
      const answer: Answer = isOk ? { ok: true } : { ok: false, told: body }
      const tell = waiting.shift()
      if (tell === undefined) answers.push(answer)
      else tell(answer)
    }
  })
  return {
    ask: (text) => void socket.write(`${text} HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\n\r\n`),
    async next() {
      const known = answers.shift()
      if (known !== undefined) return known
      const answer = await new Promise<Answer | undefined>((resolve) => {
        if (socket.closed) resolve(undefined)
        else waiting.push(resolve)
      })
      if (answer === undefined) throw new Error('the connection ended without an answer')
      return answer
    },
    sayNonsense: () => void socket.write(Buffer.alloc(64, 0x16)),
    stopReading: () => void socket.pause(),
    ended,
    destroy: () => void socket.destroy(),
  }
}
