/**
 * The line that both sides begin with, `SSH-2.0-…` (RFC 4253, 4.2), in one piece: ssh2 takes it for another one, or for none,
 * when it arrives in pieces cut at an unlucky place.
 */
import type { Duplex } from 'node:stream'

/** What may come before the end of that line: servers may say something first. More goes on as it is. */
const longest = 64 * 1024
const begin = Buffer.from('SSH-')

/** To be called before anybody listens to the socket; afterwards it is as it was. */
export function joinFirstLine(socket: Duplex): void {
  // One listener stands between for a few bytes; a stream in between would stay for all of them.
  const emit = socket.emit.bind(socket)
  let held = Buffer.alloc(0)
  socket.emit = (event: string | symbol, ...given: unknown[]): boolean => {
    const [chunk] = given
    if (event !== 'data' || !Buffer.isBuffer(chunk)) return emit(event, ...given)
    held = Buffer.concat([held, chunk])
    if (held.length < longest && !hasWholeLine(held)) return true
    // Its own emit comes from the class again.
    Reflect.deleteProperty(socket, 'emit')
    return emit('data', held)
  }
}

function hasWholeLine(bytes: Buffer): boolean {
  for (let at = 0; ; ) {
    const end = bytes.indexOf(0x0a, at)
    if (end < 0) return false
    if (bytes.subarray(at, at + begin.length).equals(begin)) return true
    at = end + 1
  }
}
