/**
 * One connection over one WebSocket, as a Duplex that can be half-closed. A WebSocket closes both ways at once, so the
 * end of one direction is the text message `end`; binary messages are the bytes. Used by both ends of a link.
 */
import { Duplex } from 'node:stream'

/** What is used of a WebSocket of the package `ws`, with binaryType `nodebuffer`. */
export interface MessageSocket {
  send(data: Buffer | string, sent: (error?: Error | null) => void): void
  close(code?: number): void
  terminate(): void
  pause(): void
  resume(): void
  on(event: 'message', listener: (data: unknown, isBinary: boolean) => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  on(event: 'close', listener: (code: number) => void): unknown
}

/** The longest message either end sends; what both set as `maxPayload`. */
export const longestMessage = 256 * 1024

const endOfDirection = 'end'

export class WebSocketStream extends Duplex {
  readonly #socket: MessageSocket
  #ended = false
  #closed = false

  constructor(socket: MessageSocket) {
    super({ allowHalfOpen: true, highWaterMark: longestMessage })
    this.#socket = socket
    socket.on('message', (data, isBinary) => this.#receive(data, isBinary))
    socket.on('error', (error) => this.destroy(error))
    socket.on('close', (code) => {
      this.#closed = true
      // 1000 comes only after both directions ended; anything else cut something off and must not look like an end.
      if (code !== 1000 || !this.#ended) this.destroy(new Error(`the WebSocket was closed (${code})`))
    })
  }

  override _read(): void {
    this.#socket.resume()
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    const rest = chunk.subarray(longestMessage)
    this.#socket.send(chunk.subarray(0, longestMessage), (error) => {
      if (error || rest.length === 0) done(error)
      else this._write(rest, _encoding, done)
    })
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.send(endOfDirection, (error) => {
      done(error)
      this.#closeWhenDone()
    })
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    // After both ends the closing handshake runs on its own; cutting it here would lose what is still in flight.
    if (!this.#closed && (error !== null || !this.#ended || !this.writableFinished)) this.#socket.terminate()
    done(error)
  }

  #receive(data: unknown, isBinary: boolean): void {
    if (isBinary && Buffer.isBuffer(data) && !this.#ended) {
      if (!this.push(data)) this.#socket.pause()
    } else if (!isBinary && !this.#ended && String(data) === endOfDirection) {
      this.#ended = true
      this.push(null)
      this.#closeWhenDone()
    } else {
      this.destroy(new Error('a message that does not belong on a link'))
    }
  }

  #closeWhenDone(): void {
    if (this.#ended && this.writableFinished) this.#socket.close(1000)
    else if (this.#ended) this.once('finish', () => this.#socket.close(1000))
  }
}
